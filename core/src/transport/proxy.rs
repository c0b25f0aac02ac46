//! Selects the proxy for a TLS connection.

use std::net::IpAddr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderValue, Uri};
use ipnet::IpNet;
use percent_encoding::percent_decode_str;

use super::endpoint::has_valid_port;
use crate::environment::Environment;
use crate::error::{Error, Kind, Result};

/// A proxy that opens tunnels with CONNECT.
#[derive(Debug)]
pub(super) struct Proxy {
    pub uri: Uri,
    /// The `Proxy-Authorization` header.
    pub authorization: Option<HeaderValue>,
}

/// The proxy in `HTTPS_PROXY` or `ALL_PROXY`, unless `NO_PROXY` excludes the host of `uri`.
pub(super) fn proxy_for(uri: &Uri, environment: &Environment) -> Result<Option<Proxy>> {
    let named = environment.first(["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]);
    let Some((variable, value)) = named else {
        return Ok(None);
    };
    let exclusions = environment.first(["NO_PROXY", "no_proxy"]).map_or("", |(_, exclusions)| exclusions);
    let host = uri.host().unwrap_or_default();
    if is_excluded(host, uri.port_u16().unwrap_or(443), exclusions) {
        return Ok(None);
    }
    parse(value).map(Some).map_err(|problem| Error::new(Kind::Config, format!("{variable} {problem}")))
}

/// An error does not contain the value, which may have a password.
fn parse(value: &str) -> Result<Proxy, &'static str> {
    const INVALID: &str = "is not a valid proxy URL";
    let (scheme, rest) = value.split_once("://").unwrap_or(("http", value));
    if !scheme.eq_ignore_ascii_case("http") {
        return Err("must be the URL of an http:// proxy; https and SOCKS proxies are not supported");
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (credentials, host) = match authority.rsplit_once('@') {
        Some((credentials, host)) => (Some(credentials), host),
        None => (None, authority),
    };
    let uri: Uri = format!("http://{host}/").parse().map_err(|_| INVALID)?;
    if uri.host().is_none_or(str::is_empty) || !has_valid_port(&uri) {
        return Err(INVALID);
    }
    let authorization = credentials.map(basic_authorization).transpose().map_err(|_| INVALID)?;
    Ok(Proxy { uri, authorization })
}

fn basic_authorization(credentials: &str) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let mut plain: Vec<u8> = percent_decode_str(user).collect();
    plain.push(b':');
    plain.extend(percent_decode_str(password));
    let mut header = HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(plain)))?;
    header.set_sensitive(true);
    Ok(header)
}

/// Whether an entry of a `NO_PROXY` list matches. Entries are separated by commas or white space, and each may end with a
/// port. An entry is one of: `*`; an IP address or range; a domain, with or without a leading dot, which includes its
/// subdomains; or `*.domain`, which matches only the subdomains.
fn is_excluded(host: &str, port: u16, list: &str) -> bool {
    let host = host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
    let address: Option<IpAddr> = host.parse().ok();
    list.split([',', ' ', '\t', '\r', '\n']).filter(|entry| !entry.is_empty()).any(|entry| {
        let (pattern, wanted_port) = split_port(entry);
        let matches_host = match address {
            _ if pattern == "*" => true,
            Some(address) => range_of(pattern).is_some_and(|range| range.contains(&address)),
            None => matches_domain(&host, pattern),
        };
        matches_host && wanted_port.is_none_or(|wanted| wanted == port)
    })
}

/// Splits off the port. An IPv6 address with a port is in brackets.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    match entry.rsplit_once(':') {
        Some((pattern, port)) if !pattern.contains(':') || pattern.ends_with(']') => match port.parse() {
            Ok(port) => (pattern, Some(port)),
            Err(_) => (entry, None),
        },
        _ => (entry, None),
    }
}

fn range_of(pattern: &str) -> Option<IpNet> {
    let pattern = pattern.trim_matches(['[', ']']);
    pattern.parse().ok().or_else(|| pattern.parse::<IpAddr>().ok().map(Into::into))
}

fn matches_domain(host: &str, pattern: &str) -> bool {
    let pattern = pattern.trim_end_matches('.').to_ascii_lowercase();
    let (domain, only_subdomains) = match pattern.strip_prefix('*') {
        Some(rest) => (rest.trim_start_matches('.'), true),
        None => (pattern.trim_start_matches('.'), false),
    };
    if domain.is_empty() {
        return false;
    }
    match host.strip_suffix(domain) {
        Some("") => !only_subdomains,
        Some(subdomain) => subdomain.ends_with('.'),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Environment::new(variables.iter().map(owned), 0)
    }

    fn proxy(variables: &[(&str, &str)]) -> Result<Option<Proxy>> {
        proxy_for(&Uri::from_static("https://dynamodb.eu-west-1.amazonaws.com/"), &environment(variables))
    }

    #[test]
    fn the_first_variable_set_selects_the_proxy() {
        for (variables, uri) in [
            (&[("HTTPS_PROXY", "http://one:3128"), ("ALL_PROXY", "http://two")][..], "http://one:3128/"),
            (&[("https_proxy", "one:3128"), ("ALL_PROXY", "http://two")], "http://one:3128/"),
            (&[("HTTPS_PROXY", ""), ("all_proxy", "HTTP://two/path")], "http://two/"),
            (&[("HTTPS_PROXY", "http://[::1]:3128")], "http://[::1]:3128/"),
        ] {
            assert_eq!(proxy(variables).unwrap().unwrap().uri, uri);
        }
        assert!(proxy(&[("HTTP_PROXY", "http://one")]).unwrap().is_none());
    }

    #[test]
    fn credentials_become_a_header_that_is_never_printed() {
        for (value, plain) in [
            ("http://user:pass@proxy", "user:pass"),
            ("user:p%40ss%2F@proxy:1", "user:p@ss/"),
            ("http://user:p@ss@proxy", "user:p@ss"),
            ("http://user@proxy", "user:"),
        ] {
            let proxy = proxy(&[("HTTPS_PROXY", value)]).unwrap().unwrap();
            assert_eq!(proxy.uri.host(), Some("proxy"));
            let header = proxy.authorization.as_ref().unwrap();
            assert_eq!(header.to_str().unwrap(), format!("Basic {}", BASE64_STANDARD.encode(plain)));
            assert!(!format!("{proxy:?}").contains("Basic"));
        }
    }

    #[test]
    fn an_unsupported_proxy_is_an_error_without_its_credentials() {
        for value in [
            "https://user:secret@proxy",
            "socks5://user:secret@proxy:1080",
            "socks5h://user:secret@proxy",
            "ftp://user:secret@proxy",
            "http://user:secret@",
            "http://user:secret@pro xy",
            "http://user:secret@proxy:port",
        ] {
            for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
                let error = proxy(&[(variable, value)]).unwrap_err();
                assert_eq!(error.kind, Kind::Config, "{value}");
                assert!(error.message.starts_with(variable), "{}", error.message);
                assert!(!format!("{error:?}").contains("secret"), "{error:?}");
                assert!(proxy(&[(variable, value), ("NO_PROXY", "*")]).unwrap().is_none());
            }
        }
    }

    #[test]
    fn no_proxy_entries_match() {
        for (list, host, port, excluded) in [
            ("*", "host", 443, true),
            ("*", "10.0.0.1", 443, true),
            ("*", "[::1]", 443, true),
            ("other,*", "host", 443, true),
            ("*:8000", "host", 443, false),
            ("host", "host", 443, true),
            ("HOST", "Host.", 443, true),
            ("other host", "host", 443, true),
            ("other,\thost\r\n", "host", 443, true),
            ("ost", "host", 443, false),
            ("host:443", "host", 443, true),
            ("host:8443", "host", 443, false),
            ("host:8443", "host", 8443, true),
            ("example.com", "example.com", 443, true),
            ("example.com", "a.example.com", 443, true),
            ("example.com", "notexample.com", 443, false),
            ("example.com", "example.com.evil", 443, false),
            (".example.com", "a.example.com", 443, true),
            (".example.com", "example.com", 443, true),
            (".example.com:443", "a.b.example.com", 443, true),
            (".example.com", "notexample.com", 443, false),
            ("*.example.com", "a.example.com", 443, true),
            ("*.example.com", "example.com", 443, false),
            ("*.example.com:8443", "a.example.com", 443, false),
            ("10.0.0.1", "10.0.0.1", 443, true),
            ("10.0.0.1:443", "10.0.0.1", 443, true),
            ("10.0.0.1:80", "10.0.0.1", 443, false),
            ("0.0.0.1", "10.0.0.1", 443, false),
            ("10.0.0.0/8", "10.1.2.3", 443, true),
            ("10.0.0.0/8", "11.1.2.3", 443, false),
            ("10.0.0.0/8", "host", 443, false),
            ("::1", "[::1]", 443, true),
            ("[::1]", "[::1]", 443, true),
            ("[::1]:443", "[::1]", 443, true),
            ("[::1]:80", "[::1]", 443, false),
            ("fd00::/8", "[fd00:ec2::1]", 443, true),
            ("fd00::/8", "[fe00::1]", 443, false),
            ("", "host", 443, false),
            (",., ,*.", "host", 443, false),
        ] {
            assert_eq!(is_excluded(host, port, list), excluded, "{list:?} for {host}:{port}");
        }
    }
}
