# The services' images, one target each: worker, gateway, sandbox. They run as uid 1654, write only where a volume or a tmpfs is, and need no shell:
# a smaller runtime image without one will do for the first two, such as --build-arg RUNTIME=mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled.
ARG SDK=mcr.microsoft.com/dotnet/sdk:10.0
ARG RUNTIME=mcr.microsoft.com/dotnet/aspnet:10.0

FROM ${SDK} AS publish
WORKDIR /source
# What to restore changes rarely: while only sources change, this layer is kept.
COPY global.json Directory.Build.props Directory.Packages.props ./
COPY src/Hosting/Runtime.props src/Hosting/
COPY src/Contracts/Contracts.csproj src/Contracts/
COPY src/Mavi/Mavi.csproj src/Mavi/
COPY src/Ledger/Ledger.csproj src/Ledger/
COPY src/Worker/Worker.csproj src/Worker/
COPY src/CallbackGateway/CallbackGateway.csproj src/CallbackGateway/
COPY src/Sandbox/Sandbox.csproj src/Sandbox/
RUN arch=$(uname -m) && case $arch in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; esac && echo linux-$arch > /rid \
 && for project in Worker CallbackGateway Sandbox; do dotnet restore src/$project -r "$(cat /rid)" -p:PublishReadyToRun=true || exit 1; done
COPY src src
# How the code is written is checked where it is built for the tests.
RUN for project in Worker CallbackGateway Sandbox; do \
      dotnet publish src/$project --no-restore -c Release -r "$(cat /rid)" --self-contained false -o /published/$project \
        -p:PublishReadyToRun=true -p:UseAppHost=false -p:DebugType=none -p:GenerateDocumentationFile=false -p:RunAnalyzers=false || exit 1; \
    done && mkdir /data

FROM ${RUNTIME} AS gateway
WORKDIR /app
COPY --from=publish --chown=1654:1654 /data /var/lib/mavi
COPY --from=publish /published/CallbackGateway ./
ENV ASPNETCORE_URLS=http://+:8080 ASPNETCORE_HTTP_PORTS= Gateway__SpoolDirectory=/var/lib/mavi/spool
USER 1654:1654
VOLUME /var/lib/mavi
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["dotnet", "Mavi.CallbackGateway.dll", "healthcheck"]
ENTRYPOINT ["dotnet", "Mavi.CallbackGateway.dll"]
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Mavi callback gateway" org.opencontainers.image.description="Takes Mavi's callbacks and keeps each in a queue or on disk before it answers." \
      org.opencontainers.image.version="$VERSION" org.opencontainers.image.revision="$REVISION"

FROM ${RUNTIME} AS worker
WORKDIR /app
COPY --from=publish /published/Worker ./
ENV ASPNETCORE_URLS=http://+:8081 ASPNETCORE_HTTP_PORTS=
USER 1654:1654
EXPOSE 8081
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["dotnet", "Mavi.Worker.dll", "healthcheck"]
ENTRYPOINT ["dotnet", "Mavi.Worker.dll"]
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Mavi worker" org.opencontainers.image.description="Turns commands on RabbitMQ into at most one paid request to Mavi each, and one outcome." \
      org.opencontainers.image.version="$VERSION" org.opencontainers.image.revision="$REVISION"

FROM ${RUNTIME} AS sandbox
RUN apt-get update && apt-get install -y --no-install-recommends ffmpeg && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=publish --chown=1654:1654 /data /var/lib/mavi
COPY --from=publish /published/Sandbox ./
ENV ASPNETCORE_URLS=http://+:8090 ASPNETCORE_HTTP_PORTS= Sandbox__DataDirectory=/var/lib/mavi/sandbox
USER 1654:1654
VOLUME /var/lib/mavi
EXPOSE 8090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["dotnet", "Mavi.Sandbox.dll", "healthcheck"]
ENTRYPOINT ["dotnet", "Mavi.Sandbox.dll"]
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Mavi sandbox" org.opencontainers.image.description="A local Mavi: the same API with ffmpeg, webhooks, and faults on demand." \
      org.opencontainers.image.version="$VERSION" org.opencontainers.image.revision="$REVISION"
