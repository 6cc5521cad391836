# The DICOM node in a container. Fill the folder "wheels" first: packaging/wheels.sh wheels
# At run time it needs no network but the PACS's, may write to /var/lib/breastseg alone, and the
# weights are inside. All steps stand in packaging/install.sh.
FROM debian:bookworm-slim
COPY packaging/install.sh /tmp/install.sh
COPY wheels /tmp/wheels
RUN sh /tmp/install.sh /tmp/wheels && rm -rf /tmp/install.sh /tmp/wheels
COPY packaging/node.toml /etc/breastseg/node.toml
USER breastseg
WORKDIR /var/lib/breastseg
ENV HOME=/var/lib/breastseg MPLCONFIGDIR=/tmp
VOLUME /var/lib/breastseg
EXPOSE 11112
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s \
    CMD ["/opt/breastseg/bin/python", "-c", "import socket; socket.create_connection(('127.0.0.1', 11112), 5).close()"]
ENTRYPOINT ["/opt/breastseg/bin/breastseg"]
CMD ["node", "--config", "/etc/breastseg/node.toml"]
