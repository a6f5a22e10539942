"""The key that signs SNS messages here, and its self-signed certificate; made once and kept in the data folder."""

import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

SignatureVersion = Literal["1", "2"]
KEY_BITS: Final = 2048
VALID_FOR: Final = timedelta(days=3650)


class Signer:
    """An RSA key with a certificate for it."""

    def __init__(self, key: rsa.RSAPrivateKey, certificate: x509.Certificate) -> None:
        self._key = key
        self._certificate = certificate

    @classmethod
    def new(cls) -> Self:
        """Make a key and a certificate that it signs itself."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Local SNS")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + VALID_FOR)
            .sign(key, hashes.SHA256())
        )
        return cls(key, certificate)

    @classmethod
    def kept_in(cls, folder: Path) -> Self:
        """Return the signer of a folder; the first start makes it. Only the owner can read the files."""
        path = folder / "signing.pem"
        if not path.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            signer = cls.new()
            _write(folder / "certificate.pem", signer.certificate_pem)
            _write(path, signer.key_pem + signer.certificate_pem)
        pem = path.read_bytes()
        key = serialization.load_pem_private_key(pem, password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError(f"{path.name} holds no RSA key")
        return cls(key, x509.load_pem_x509_certificate(pem))

    @property
    def key_pem(self) -> bytes:
        """The private key."""
        form, no_password = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        return self._key.private_bytes(serialization.Encoding.PEM, form, no_password)

    @property
    def certificate_pem(self) -> bytes:
        """The certificate, as it is served."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def sign(self, text: bytes, version: SignatureVersion) -> bytes:
        """Return the signature of that version: RSA with PKCS #1 v1.5 over SHA-1 (1) or SHA-256 (2)."""
        digest = hashes.SHA256() if version == "2" else hashes.SHA1()  # noqa: S303 - SNS signs version 1 with SHA-1
        return self._key.sign(text, padding.PKCS1v15(), digest)


def _write(path: Path, content: bytes) -> None:
    """Write a file that others cannot read, all of it or nothing."""
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(name).replace(path)
