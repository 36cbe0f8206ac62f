/** Where commands are looked for, by package scripts as well: /usr/local first, as a temporary command must win. */
export const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

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
Acquire::Retries "3";
Debug::NoLocking "true";
DPkg::Path "${PATH}";
DPkg::Use-Pty "false";
DPkg::Options { "--force-confdef"; "--force-confold"; "--force-unsafe-io"; };
`
