FROM python:3.11-slim

RUN apt-get update && apt-get install -y --no-install-recommends make && rm -rf /var/lib/apt/lists/* \
    && useradd --system --groups dialout --create-home --home-dir /var/lib/hipec hipec
WORKDIR /opt/hipec
COPY . .
RUN make install && .venv/bin/python -m compileall -q .venv service drivers simulator protocols

# The root file system may be read-only: all state lies in the volume, temporary files in /tmp.
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER hipec
WORKDIR /var/lib/hipec
VOLUME ["/var/lib/hipec"]
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s --retries=3 CMD \
    ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
ENTRYPOINT ["/opt/hipec/.venv/bin/hipec"]
CMD ["serve", "--site", "/var/lib/hipec/site.toml"]
