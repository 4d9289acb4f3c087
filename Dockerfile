# The workers' image. Everything that is installed is pinned by hash in the locks.
FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY requirements-build.lock requirements.lock ./
RUN pip install --require-hashes -r requirements-build.lock \
 && python -m venv /opt/oversight \
 && /opt/oversight/bin/pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY schemas schemas
COPY bridge bridge
COPY detectors detectors
COPY routing routing
COPY streams streams
RUN pip wheel --no-deps --no-build-isolation --wheel-dir wheels . \
 && /opt/oversight/bin/pip install --no-deps wheels/*.whl

FROM python:3.13-slim
LABEL org.opencontainers.image.title="agent-oversight" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --system --uid 10001 --home-dir /var/lib/oversight --create-home oversight
COPY --from=build /opt/oversight /opt/oversight
ENV PATH=/opt/oversight/bin:$PATH PYTHONUNBUFFERED=1 \
    OVERSIGHT_CONFIG=/etc/oversight OVERSIGHT_ALIVE=/var/lib/oversight/alive
WORKDIR /var/lib/oversight
USER oversight
# The worker touches this file while it works.
HEALTHCHECK --interval=30s --timeout=3s --start-period=60s CMD find "$OVERSIGHT_ALIVE" -mmin -1 | grep -q .
STOPSIGNAL SIGTERM
ENTRYPOINT ["oversight"]
CMD ["worker"]
