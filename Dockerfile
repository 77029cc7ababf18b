# Builds with any engine (no BuildKit syntax). Another base, Python 3.11 or newer: --build-arg BASE=…
ARG BASE=python:3.12-slim-bookworm

FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
RUN python3 -m venv /opt/venv
WORKDIR /src
# The dependencies come first and alone: a change of the code leaves this layer as it is.
COPY requirements.lock ./
RUN /opt/venv/bin/pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
COPY templates ./templates
# Nothing is installed in a running container, so pip stays behind.
RUN /opt/venv/bin/pip wheel --no-deps --wheel-dir /src/dist . \
    && /opt/venv/bin/pip install --no-deps /src/dist/*.whl \
    && /opt/venv/bin/pip uninstall --yes pip

FROM ${BASE} AS run
LABEL org.opencontainers.image.title="livesearch" \
      org.opencontainers.image.description="A live-search site over the rows you already have" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 livesearch \
    && useradd --uid 10001 --gid livesearch --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin livesearch \
    && install -d -o livesearch -g livesearch -m 0750 /data
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    LIVESEARCH_STORE_URL=sqlite+aiosqlite:////data/livesearch.db
# The only place that is written to: the store, the secret key beside it, rejected rows.
WORKDIR /data
VOLUME ["/data"]
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python3", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
CMD ["livesearch", "serve", "--host", "0.0.0.0", "--port", "8000"]
