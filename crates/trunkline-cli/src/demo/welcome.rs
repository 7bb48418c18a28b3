//! [`Welcome`]: what the demo says of itself when it begins.

use serde_json::json;
use std::{
    env,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

/// Where the demo listens.
#[derive(Debug)]
pub(super) struct Welcome {
    pub(super) http: SocketAddr,
    pub(super) tcp: SocketAddr,
}

impl Welcome {
    fn urls(&self) -> [String; 3] {
        let (http, tcp) = (reachable(self.http), reachable(self.tcp));
        [format!("http://{http}/"), format!("ws://{http}/"), format!("tcp://{tcp}")]
    }

    /// For programs.
    pub(super) fn json(&self) -> String {
        let [http, ws, tcp] = self.urls();
        json!({"http": http, "ws": ws, "tcp": tcp}).to_string()
    }

    /// For people; `program` is how they call this one.
    pub(super) fn text(&self, program: &str) -> String {
        let [http, ws, tcp] = self.urls();
        format!(
            r#"The demo is served at

  {http}   HTTP
  {ws}     WebSocket
  {tcp}     newline-delimited JSON

Try

  curl {http} -H 'Content-Type: application/json' -d '{{"jsonrpc":"2.0","id":1,"method":"add","params":[2,3]}}'
  {program} call {ws} add '[2, 3]'
  {program} listen {ws} chat.join '["Ada"]'

`{program} demo --help` lists the methods. Ctrl-C stops the demo."#
        )
    }
}

/// An address to connect to: listening everywhere means also here.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        });
    }
    address
}

/// How this program was called, so that lines can be copied as they stand.
pub(super) fn program() -> String {
    env::args().next().filter(|name| !name.contains(char::is_whitespace)).unwrap_or("trunkline".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_can_be_connected_to() {
        let everywhere = Welcome { http: "0.0.0.0:80".parse().unwrap(), tcp: "[::]:81".parse().unwrap() };
        assert_eq!(
            everywhere.json(),
            r#"{"http":"http://127.0.0.1:80/","tcp":"tcp://[::1]:81","ws":"ws://127.0.0.1:80/"}"#
        );
    }

    #[test]
    fn the_lines_to_try_name_the_program_as_it_was_called() {
        let here = Welcome { http: "127.0.0.1:80".parse().unwrap(), tcp: "127.0.0.1:81".parse().unwrap() };
        let text = here.text("target/release/trunkline");
        assert!(
            text.contains("\n  target/release/trunkline call ws://127.0.0.1:80/ add '[2, 3]'\n"),
            "{text}"
        );
        assert!(text.contains("\n  curl http://127.0.0.1:80/ -H "), "{text}");
        assert!(text.contains("\n  tcp://127.0.0.1:81 "), "{text}");
    }
}
