# The one image of a computing unit: AWS Lambda's runtime client where Lambda calls, else a task of AWS Fargate.
#   docker build -t mroptimum-custom .
# For AWS Lambda, which takes one image for one platform: docker build --provenance=false --sbom=false …
ARG BASE_IMAGE=public.ecr.aws/docker/library/python:3.12.12-slim-bookworm

FROM --platform=linux/amd64 ${BASE_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
RUN python -m venv --without-pip /opt/cloudmr
COPY requirements/image.txt requirements/
RUN python -m pip --python /opt/cloudmr/bin/python install --require-hashes -r requirements/image.txt
# The sources as they are: the pages of CloudMR Brain, which need Node to build, are no part of a unit.
COPY src/ src/
RUN cp -r src/mroptimum src/cloudmr "$(/opt/cloudmr/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" \
    && find /opt/cloudmr -depth \( -type d \( -name tests -o -name test \) -path '*-packages/*' \) -exec rm -rf {} + \
    && /opt/cloudmr/bin/python -m compileall -q /opt/cloudmr/lib

FROM --platform=linux/amd64 ${BASE_IMAGE}
COPY --from=build /opt/cloudmr /opt/cloudmr
# Only /tmp can be written to, on Lambda; and nothing else has to be.
ENV PATH=/opt/cloudmr/bin:$PATH \
    HOME=/tmp \
    MPLCONFIGDIR=/tmp/matplotlib \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001
WORKDIR /tmp
ENTRYPOINT ["python", "-m", "cloudmr.worker.entry"]
