"""What slapd is configured with, as LDIF for cn=config."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_MODULES = Path("/usr/lib/ldap")
_SCHEMAS = ("core", "cosine", "inetorgperson", "dyngroup", "nis", "misc")
_OWN_SCHEMA = Path(__file__).with_name("schema.ldif")

# dynlist's * makes memberOf see nested groups.
_MEMBER_OF = "groupOfURLs memberURL member+memberOf@groupOfNames*"
_OVERLAYS = {
    "memberof": "objectClass: olcMemberOf\nolcMemberOfRefInt: TRUE",
    "ppolicy": "objectClass: olcPPolicyConfig\nolcPPolicyHashCleartext: TRUE",
    "dynlist": f"objectClass: olcDynListConfig\nolcDynListAttrSet: {_MEMBER_OF}",
}


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything that makes one test server differ from another; the keywords of `Slapd`."""

    suffix: str
    admin_password: str
    size_limit: int | None
    page_limits: str
    overlays: Sequence[str]
    schema: str
    anonymous_read: bool

    @property
    def admin_dn(self) -> str:
        """Who may do everything, in the data and in cn=config."""
        return f"cn=admin,{self.suffix}"

    @property
    def reader_dn(self) -> str:
        """Who may read everything."""
        return f"cn=reader,{self.suffix}"

    def as_ldif(self, folder: Path) -> str:
        """Return the whole of cn=config; `folder` holds the certificates and the data."""
        parts = [
            self._global(folder),
            self._modules(),
            "dn: cn=schema,cn=config\nobjectClass: olcSchemaConfig\ncn: schema\n",
            *(f"include: file:///etc/ldap/schema/{name}.ldif\n" for name in _SCHEMAS),
            _OWN_SCHEMA.read_text(encoding="utf-8"),
            self.schema,
            self._config_database(),
            self._database(folder),
            *(self._overlay(name) for name in self.overlays),
        ]
        return "\n".join(part for part in parts if part)

    def _global(self, folder: Path) -> str:
        return f"""dn: cn=config
objectClass: olcGlobal
cn: config
olcPidFile: {folder}/slapd.pid
olcTLSCACertificateFile: {folder}/ca.pem
olcTLSCertificateFile: {folder}/server.pem
olcTLSCertificateKeyFile: {folder}/server.key
olcSizeLimit: unlimited
"""

    def _modules(self) -> str:
        # pw-sha2 lets people log in with {SSHA512}; some distributions keep it in a package of its own.
        extra = ["pw-sha2"] if (_MODULES / "pw-sha2.so").exists() else []
        loads = "\n".join(f"olcModuleLoad: {name}" for name in ["back_mdb", *extra, *self.overlays])
        return f"dn: cn=module,cn=config\nobjectClass: olcModuleList\ncn: module\nolcModulePath: {_MODULES}\n{loads}\n"

    def _config_database(self) -> str:
        return (
            "dn: olcDatabase={0}config,cn=config\nobjectClass: olcDatabaseConfig\nolcDatabase: {0}config\n"
            f"olcRootDN: {self.admin_dn}\n"
        )

    def _database(self, folder: Path) -> str:
        # "by * auth" rather than "by * none": who has no rights then gets insufficientAccess, not noSuchObject.
        others = "read" if self.anonymous_read else "auth"
        limits = [
            f"olcSizeLimit: {self.size_limit or 'unlimited'}",
            *([f'olcLimits: dn.exact="{self.reader_dn}" {self.page_limits}'] if self.page_limits else []),
        ]
        return f"""dn: olcDatabase={{1}}mdb,cn=config
objectClass: olcDatabaseConfig
objectClass: olcMdbConfig
olcDatabase: {{1}}mdb
olcDbDirectory: {folder}/data
olcDbMaxSize: 2147483648
olcDbNoSync: TRUE
olcDbIndex: objectClass,mail,uid,entryUUID,member eq
olcSuffix: {self.suffix}
olcRootDN: {self.admin_dn}
olcRootPW: {self.admin_password}
olcAccess: to attrs=userPassword by dn.exact="{self.reader_dn}" read by * auth
olcAccess: to * by dn.exact="{self.reader_dn}" read by * {others}
{chr(10).join(limits)}
"""

    def _overlay(self, name: str) -> str:
        return (
            f"dn: olcOverlay={name},olcDatabase={{1}}mdb,cn=config\nobjectClass: olcOverlayConfig\n"
            f"olcOverlay: {name}\n{_OVERLAYS[name]}\n"
        )
