"""One TLS echo: client.py PORT CA VERSION [CERT KEY]. Exit 0 when the line came back, 1 when the server refused."""
import socket
import ssl
import sys

port, ca, version, *pair = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
context.minimum_version = context.maximum_version = {
    "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3,
}[version]
if pair:
    context.load_cert_chain(*pair)
line = b"through python\n"
try:
    with socket.create_connection(("127.0.0.1", int(port)), 8) as tcp:
        with context.wrap_socket(tcp, server_hostname="localhost") as tls:
            tls.sendall(line)
            got = b""
            while len(got) < len(line):
                piece = tls.recv(4096)
                if not piece:
                    raise OSError("closed before the echo")
                got += piece
            assert got == line, got
            print(tls.version())
except OSError as error:
    sys.exit(f"refused: {error}")
