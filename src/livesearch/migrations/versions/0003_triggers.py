"""Triggers that note what other programs write to `documents` through plain SQL.

A row whose digest has 16 bytes is in the index as it stands. Our own writes change the digest together with the body,
and set it to one zero byte before they delete a row: the triggers' conditions see that, and nothing runs. A stranger's
INSERT leaves the digest empty, an UPDATE leaves it as it was, a DELETE finds 16 bytes. These rows are noted in
`foreign_changes`, with the body that the index still speaks of, and their digest is one byte until they are indexed.
An UPDATE that empties the digest has a row indexed anew.

Numbers are ours: an inserted row waits under a random negative one, so that none we give is ever taken.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# The note comes first: the number is random, and the row takes it from there. `last_insert_rowid` is the note's, for as
# long as the trigger runs. The digest changes in any case, or the triggers on UPDATE would take this for a stranger's.
SQLITE_WAIT = """
  INSERT INTO foreign_changes (collection_id, number, key)
    VALUES (NEW.collection_id, -1 - (random() & 4611686018427387903), NEW.key);
  UPDATE documents
    SET number = (SELECT number FROM foreign_changes WHERE id = last_insert_rowid()),
      digest = CASE digest WHEN x'01' THEN x'02' ELSE x'01' END
    WHERE collection_id = NEW.collection_id AND number = NEW.number;
"""

# Each does the same with `PRAGMA recursive_triggers` off, as SQLite has it, and on, as sqlite-utils sets it.
SQLITE = {
    # REPLACE removes a row without firing DELETE triggers. Emptying its digest has it noted.
    "replace": """BEFORE INSERT ON documents WHEN length(NEW.digest) <> 16
BEGIN
  UPDATE documents SET digest = x''
    WHERE collection_id = NEW.collection_id AND number = NEW.number AND length(digest) = 16;
END""",
    "insert": f"""AFTER INSERT ON documents WHEN length(NEW.digest) <> 16
BEGIN
{SQLITE_WAIT}
END""",
    "update": """AFTER UPDATE ON documents
WHEN NEW.number IS OLD.number AND NEW.collection_id IS OLD.collection_id
  AND (NEW.digest IS OLD.digest AND (NEW.key IS NOT OLD.key OR NEW.body IS NOT OLD.body)
    OR length(NEW.digest) = 0 AND length(OLD.digest) > 0)
BEGIN
  INSERT INTO foreign_changes (collection_id, number, key, old_body)
    VALUES (OLD.collection_id, OLD.number, OLD.key, CASE length(OLD.digest) WHEN 16 THEN OLD.body END);
  UPDATE documents SET digest = x'01'
    WHERE collection_id = NEW.collection_id AND number = NEW.number AND digest IS NOT x'01';
END""",
    "move": f"""AFTER UPDATE ON documents
WHEN NEW.digest IS OLD.digest AND (NEW.number IS NOT OLD.number OR NEW.collection_id IS NOT OLD.collection_id)
BEGIN
  INSERT INTO foreign_changes (collection_id, number, key, old_body)
    SELECT OLD.collection_id, OLD.number, OLD.key, OLD.body WHERE length(OLD.digest) = 16;
{SQLITE_WAIT}
END""",
    # A dropped collection's own row goes first: what goes with it is not noted.
    "delete": """AFTER DELETE ON documents
WHEN length(OLD.digest) = 16 AND EXISTS (SELECT 1 FROM collections WHERE id = OLD.collection_id)
BEGIN
  INSERT INTO foreign_changes (collection_id, number, key, old_body)
    VALUES (OLD.collection_id, OLD.number, OLD.key, OLD.body);
END""",
}

# SECURITY DEFINER: who may write documents need not be allowed to write notes.
POSTGRESQL_FUNCTION = """
CREATE FUNCTION livesearch_note_foreign_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  is_new CONSTANT boolean := CASE TG_OP WHEN 'INSERT' THEN true
    WHEN 'UPDATE' THEN NEW.number <> OLD.number OR NEW.collection_id <> OLD.collection_id ELSE false END;
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    -- Nothing tells which documents there were, and nothing must: none is left.
    DELETE FROM postings;
    DELETE FROM doc_values;
    DELETE FROM vocabulary;
    DELETE FROM foreign_changes;
    UPDATE collections SET version = version + 1, document_count = 0, token_count = 0;
    UPDATE chunks SET version = owner.version, since = NULL, places = NULL
      FROM collections owner WHERE owner.id = chunks.collection_id;
    RETURN NULL;
  END IF;
  IF TG_OP = 'DELETE' THEN
    -- A dropped collection's own row goes first: what goes with it is not noted.
    IF EXISTS (SELECT 1 FROM collections WHERE id = OLD.collection_id) THEN
      INSERT INTO foreign_changes (collection_id, number, key, old_body)
        VALUES (OLD.collection_id, OLD.number, OLD.key, OLD.body);
    END IF;
    RETURN NULL;
  END IF;
  IF TG_OP = 'UPDATE' AND (octet_length(OLD.digest) = 16 OR NOT is_new) THEN
    INSERT INTO foreign_changes (collection_id, number, key, old_body)
      VALUES (OLD.collection_id, OLD.number, OLD.key, CASE octet_length(OLD.digest) WHEN 16 THEN OLD.body END);
  END IF;
  IF is_new THEN
    NEW.number := -1 - (random() * 2147483647)::bigint * 2147483648 - (random() * 2147483647)::bigint;
    INSERT INTO foreign_changes (collection_id, number, key) VALUES (NEW.collection_id, NEW.number, NEW.key);
  END IF;
  NEW.digest := '\\x01';
  RETURN NEW;
END
$$
"""

POSTGRESQL = {
    "insert": "BEFORE INSERT ON documents FOR EACH ROW WHEN (octet_length(NEW.digest) <> 16)",
    "update": """BEFORE UPDATE ON documents FOR EACH ROW
WHEN (NEW.digest = OLD.digest AND (NEW.number <> OLD.number OR NEW.collection_id <> OLD.collection_id
    OR NEW.key <> OLD.key OR NEW.body <> OLD.body)
  OR octet_length(NEW.digest) = 0 AND octet_length(OLD.digest) > 0)""",
    "delete": "AFTER DELETE ON documents FOR EACH ROW WHEN (octet_length(OLD.digest) = 16)",
    "truncate": "AFTER TRUNCATE ON documents FOR EACH STATEMENT",
}


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name, definition in SQLITE.items():
            op.execute(f"CREATE TRIGGER documents_foreign_{name} {definition}")
        return
    op.execute(POSTGRESQL_FUNCTION)
    for name, definition in POSTGRESQL.items():
        op.execute(
            f"CREATE TRIGGER documents_foreign_{name} {definition} EXECUTE FUNCTION livesearch_note_foreign_change()"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name in SQLITE:
            op.execute(f"DROP TRIGGER documents_foreign_{name}")
        return
    for name in POSTGRESQL:
        op.execute(f"DROP TRIGGER documents_foreign_{name} ON documents")
    op.execute("DROP FUNCTION livesearch_note_foreign_change()")
