//! [`Gate`]: which names the server answers to.

use http::{Request, Version, header::HOST};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

/// Which names the server answers to.
///
/// A page in a browser may have the name of its own server point to another
/// address, such as the reader's own machine, and is then of the same origin as
/// what listens there (DNS rebinding). But the browser still says the name.
#[derive(Debug, Default)]
pub(super) struct Gate {
    /// Only the names of this machine are let in, and those that are listed.
    local: bool,
    listed: Vec<String>,
    /// The address of the port, if it is local: what most requests to it name.
    own: Option<String>,
}

/// Why a request is not let in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shut {
    /// It must name one host, and does not (RFC 9112, section 3.2).
    Unnamed,
    /// It names a host that this server is not.
    Misnamed,
}

impl Gate {
    /// The gate of a port, which is local if nobody else can reach it.
    pub(super) fn at(address: SocketAddr) -> Self {
        let local = address.ip().to_canonical().is_loopback();
        Self { local, listed: Vec::new(), own: local.then(|| address.to_string()) }
    }

    /// Lets in requests to these hosts, with any port unless they name one.
    pub(super) fn allow<S: Into<String>>(&mut self, hosts: impl IntoIterator<Item = S>) {
        self.listed.extend(hosts.into_iter().map(|host| host.into().to_ascii_lowercase()));
    }

    /// Whether a request may come in.
    #[inline]
    pub(super) fn admit<B>(&self, request: &Request<B>) -> Result<(), Shut> {
        let mut lines = request.headers().get_all(HOST).into_iter();
        let (line, another) = (lines.next(), lines.next());
        let host = match request.uri().authority() {
            Some(authority) => Some(authority.as_str()),
            None => line.and_then(|line| line.to_str().ok()),
        };
        if another.is_some() || (host.is_none() && request.version() >= Version::HTTP_11) {
            return Err(Shut::Unnamed);
        }
        match host {
            Some(host) if (self.local || !self.listed.is_empty()) && !self.knows(host) => Err(Shut::Misnamed),
            _ => Ok(()),
        }
    }

    fn knows(&self, host: &str) -> bool {
        if self.own.as_deref() == Some(host) {
            return true;
        }
        let name = without_port(host);
        is_local(name)
            || self
                .listed
                .iter()
                .any(|listed| listed.eq_ignore_ascii_case(name) || listed.eq_ignore_ascii_case(host))
    }
}

/// The host that a request is for, with its port.
pub(super) fn host<B>(request: &Request<B>) -> Option<&str> {
    match request.uri().authority() {
        Some(authority) => Some(authority.as_str()),
        None => request.headers().get(HOST)?.to_str().ok(),
    }
}

/// A host without its port.
fn without_port(host: &str) -> &str {
    host.trim_end_matches(|end: char| end.is_ascii_digit()).strip_suffix(':').unwrap_or(host)
}

/// Whether a name can only be this machine.
fn is_local(name: &str) -> bool {
    let v6 = || name.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok();
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || v6().is_some_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(gate: &Gate, host: Option<&str>) -> bool {
        let mut request = Request::new(());
        if let Some(host) = host {
            request.headers_mut().insert(HOST, host.parse().unwrap());
        }
        gate.admit(&request).is_ok()
    }

    #[test]
    fn only_names_of_this_machine_pass_a_local_gate() {
        let gate = Gate::at("127.0.0.1:0".parse().unwrap());
        for host in
            ["127.0.0.1:0", "localhost", "LOCALHOST:80", "127.0.0.1", "127.9.9.9:1", "[::1]", "[::1]:8080"]
        {
            assert!(admit(&gate, Some(host)), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "10.0.0.1",
            "[::2]",
            "0",
            "::1",
            "",
        ] {
            assert!(!admit(&gate, Some(host)), "{host}");
        }
    }

    #[test]
    fn listed_names_pass_with_any_port_unless_they_name_one() {
        let mut gate = Gate::default();
        gate.allow(["Api.example", "admin.example:9000"]);
        for host in ["api.example", "API.EXAMPLE:81", "admin.example:9000", "localhost:3"] {
            assert!(admit(&gate, Some(host)), "{host}");
        }
        for host in ["admin.example", "admin.example:9001", "example", "x.api.example"] {
            assert!(!admit(&gate, Some(host)), "{host}");
        }
    }

    #[test]
    fn an_open_gate_still_wants_one_name() {
        let gate = Gate::default();
        assert!(admit(&gate, Some("whatever.example")));
        assert!(!admit(&gate, None));
        let mut twice = Request::new(());
        twice.headers_mut().append(HOST, "a".parse().unwrap());
        twice.headers_mut().append(HOST, "a".parse().unwrap());
        assert_eq!(gate.admit(&twice), Err(Shut::Unnamed));
        let mut old = Request::new(());
        *old.version_mut() = Version::HTTP_10;
        assert_eq!(gate.admit(&old), Ok(()), "HTTP/1.0 has no Host");
    }
}
