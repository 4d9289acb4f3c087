"""Apache Kafka with TLS, SASL and access lists: one node, a listener for each way in."""

import shutil
import socket
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from tests.contract.kafka_node import KafkaNode, NotHere, jars

PLAIN_PASSWORD = "plain words, and spaces"  # noqa: S105 - of a node on loopback, for the length of a test
SCRAM_PASSWORD = "scrambled words"  # noqa: S105 - the same
KEY_PASSWORD = "key-words"  # noqa: S105 - the same
FRESH = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
USER, STRANGER = "alice", "mallory"
MECHANISMS = "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER"
PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"
BEARER = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule"


class SecuredKafka:
    """`open`: without any; `known`: SASL_PLAINTEXT; `sealed`: SASL_SSL; `mutual`: SSL, by our certificate."""

    def __init__(self, home: Path) -> None:
        self.home = home
        home.mkdir(parents=True)
        certificates(home)
        with ExitStack() as bound:
            self.known, self.sealed, self.mutual = (_free(bound) for _ in range(3))
        users = [
            f"SCRAM-SHA-{bits}=[name={user},password={SCRAM_PASSWORD}]"
            for bits in (256, 512)
            for user in (USER, STRANGER)
        ]
        self._node = KafkaNode(home / "node", jars(), users=users)
        self.open = self._node.bootstrap
        self._configure()

    def __enter__(self) -> Self:
        self._node.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._node.stop()

    def _configure(self) -> None:
        path = self.home / "node" / "server.properties"
        standing = dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)
        ways = {"KNOWN": self.known, "SEALED": self.sealed, "MUTUAL": self.mutual}
        more = "".join(f",{name}://{where}" for name, where in ways.items())
        protocols = ",KNOWN:SASL_PLAINTEXT,SEALED:SASL_SSL,MUTUAL:SSL"
        settings = {
            "listeners": standing["listeners"] + more,
            "advertised.listeners": standing["advertised.listeners"] + more,
            "listener.security.protocol.map": standing["listener.security.protocol.map"] + protocols,
            "sasl.enabled.mechanisms": MECHANISMS,
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": f"{self.home}/broker.pem",
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": f"{self.home}/ca.crt",
            "listener.name.mutual.ssl.client.auth": "required",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": f"User:ANONYMOUS;User:{USER};User:CN={USER}",
        }
        for name in ("known", "sealed"):
            jaas = f"listener.name.{name}.%s.sasl.jaas.config"
            settings[jaas % "plain"] = f'{PLAIN} required user_{USER}="{PLAIN_PASSWORD}";'
            settings[jaas % "scram-sha-256"] = settings[jaas % "scram-sha-512"] = f"{SCRAM} required;"
            settings[jaas % "oauthbearer"] = f'{BEARER} required unsecuredLoginStringClaim_sub="node";'
        path.write_text("".join(f"{name}={said}\n" for name, said in (standing | settings).items()))

    @property
    def trust(self) -> Mapping[str, str]:
        """The variable that names the authority of the node's certificate."""
        return {"OVERSIGHT_KAFKA_SSL_CAFILE": f"{self.home}/ca.crt"}


def certificates(home: Path) -> None:
    """An authority (ca.crt), the node's certificate by it (broker.pem), and ours: client.crt, client.key."""
    if not shutil.which("openssl"):
        raise NotHere("no `openssl` on the path (it makes the certificates)")
    _openssl(home, f"req -x509 {FRESH} -keyout ca.key -out ca.crt -days 2 -subj /CN=ca")
    for name, who, alternative in (("broker", "broker", "IP:127.0.0.1"), ("client", USER, "DNS:us")):
        asked = f"-keyout {name}.open -out {name}.csr -subj /CN={who} -addext subjectAltName={alternative}"
        _openssl(home, f"req {FRESH} {asked}")
        signed = f"-CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out {name}.crt -copy_extensions copy"
        _openssl(home, f"x509 -req -in {name}.csr {signed}")
    (home / "broker.pem").write_text((home / "broker.open").read_text() + (home / "broker.crt").read_text())
    _openssl(home, f"pkcs8 -topk8 -in client.open -out client.key -passout pass:{KEY_PASSWORD}")


def _openssl(home: Path, arguments: str) -> None:
    subprocess.run(["openssl", *arguments.split()], cwd=home, check=True, capture_output=True)


def _free(bound: ExitStack) -> str:
    one = bound.enter_context(socket.socket())
    one.bind(("127.0.0.1", 0))
    return f"127.0.0.1:{one.getsockname()[1]}"
