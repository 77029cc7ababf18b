"""`livesearch digest`, as cron runs it."""

from pathlib import Path

from click.testing import CliRunner

from livesearch.cli import main


def test_digest_without_a_mail_server_says_what_to_set(tmp_path: Path) -> None:
    store = f"{tmp_path}/store.db"
    CliRunner().invoke(main, ["user", "add", "ann", "--password-stdin", "--store", store], input="correct horse\n")

    done = CliRunner().invoke(main, ["digest", "--store", store])

    assert done.exit_code == 2
    assert "LIVESEARCH_SMTP_HOST" in done.stderr


def test_digest_with_nothing_to_say_is_done(tmp_path: Path) -> None:
    store = f"{tmp_path}/store.db"
    CliRunner().invoke(main, ["user", "add", "ann", "--password-stdin", "--store", store], input="correct horse\n")
    settings = {
        "LIVESEARCH_SMTP_HOST": "127.0.0.1",
        "LIVESEARCH_SMTP_SENDER": "search@example.com",
        "LIVESEARCH_PUBLIC_URL": "https://search.example.com/",
    }

    done = CliRunner(env=settings).invoke(main, ["digest", "--store", store])

    assert (done.exit_code, done.stderr) == (0, "0 mails sent.\n")
