import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/** One TLS echo: Client.java PORT CA VERSION [CERT KEY]. Exit 0 when the line came back, 1 when the server refused. */
class Client {
  static Certificate certificate(String file) throws Exception {
    return CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(bytes(file)));
  }

  static byte[] bytes(String file) throws IOException {
    return Files.readAllBytes(Path.of(file));
  }

  static KeyStore empty() throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    return store;
  }

  public static void main(String[] args) throws Exception {
    KeyStore trusted = empty();
    trusted.setCertificateEntry("ca", certificate(args[1]));
    TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
    trust.init(trusted);
    KeyManagerFactory keys = null;
    if (args.length > 3) {
      String pem = new String(bytes(args[4])).replaceAll("-----[A-Z ]+-----|\\s", "");
      KeyStore own = empty();
      own.setKeyEntry("own", KeyFactory.getInstance("EC").generatePrivate(
          new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem))), new char[0], new Certificate[] {certificate(args[3])});
      keys = KeyManagerFactory.getInstance("PKIX");
      keys.init(own, new char[0]);
    }
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys == null ? null : keys.getKeyManagers(), trust.getTrustManagers(), null);
    byte[] line = "through java\n".getBytes();
    try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket("localhost", Integer.parseInt(args[0]))) {
      socket.setSoTimeout(8000);
      socket.setEnabledProtocols(new String[] {"TLSv" + args[2]});
      socket.getOutputStream().write(line);
      byte[] got = socket.getInputStream().readNBytes(line.length);
      if (!java.util.Arrays.equals(got, line)) throw new IOException("closed before the echo");
      System.out.println(socket.getSession().getProtocol());
    } catch (IOException error) {
      System.err.println("refused: " + error.getMessage());
      System.exit(1);
    }
  }
}
