/** apt.conf(5) for the installation only. */
export const APT_SETTINGS = `// only while packages are installed
APT::Install-Recommends "false";
APT::Install-Suggests "false";
APT::Keep-Downloaded-Packages "true";
Binary::apt::APT::Keep-Downloaded-Packages "true";
APT::Sandbox::User "root";
APT::Get::List-Cleanup "false";
APT::Color "false";
Acquire::Languages "none";
Acquire::Check-Valid-Until "true";
Acquire::Retries "3";
Debug::NoLocking "true";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
DPkg::Use-Pty "false";
DPkg::Options { "--force-confdef"; "--force-confold"; "--force-unsafe-io"; };
`
