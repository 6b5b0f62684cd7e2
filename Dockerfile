# docker build -t unflat .
# docker run --stop-timeout 40 -p 8000:8000 -e SECRET_KEY=… -e UNFLAT_TRUSTED_HOSTS=example.org -v unflat:/data unflat
# Docker's own 10 s after "docker stop" are shorter than what the server gives its workers; a job would lose one of its tries.
FROM python:3.12-slim
RUN apt-get update && apt-get install -y --no-install-recommends libusb-1.0-0 libgomp1 libgl1 libegl1 libx11-6 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /srv/unflat
COPY requirements.lock .
RUN pip install --no-cache-dir -r requirements.lock
COPY . .
RUN useradd --system --create-home unflat && install -d -o unflat /data
USER unflat
ENV UNFLAT_ENV=production UNFLAT_HOST=0.0.0.0 UNFLAT_DATA=/data PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:8000' + os.getenv('SCRIPT_NAME', '') + '/readyz', timeout=4)"]
CMD ["gunicorn", "-c", "gunicorn.conf.py", "app:app"]
