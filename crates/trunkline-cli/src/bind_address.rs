//! [`BindAddress`]: where to listen.

use std::{fmt, str::FromStr};

/// Where to listen: `host:port`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct BindAddress(String);

impl FromStr for BindAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {
                Ok(Self(text.to_owned()))
            }
            Some(("", port)) => Err(format!("it has no host; write 127.0.0.1:{port}")),
            Some(_) => Err("its port is not a number up to 65535; write 127.0.0.1:9876".to_owned()),
            None if text.parse::<u16>().is_ok() => Err(format!("it has no host; write 127.0.0.1:{text}")),
            None => Err(format!("it has no port; write {text}:9876")),
        }
    }
}

impl fmt::Display for BindAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_and_a_port_are_wanted() {
        for text in ["127.0.0.1:0", "localhost:9876", "[::1]:80"] {
            assert_eq!(text.parse(), Ok(BindAddress(text.to_owned())));
        }
    }

    #[test]
    fn others_are_told_what_to_write() {
        let told = |text: &str| text.parse::<BindAddress>().unwrap_err();
        assert!(told("9876").ends_with("write 127.0.0.1:9876"));
        assert!(told(":9876").ends_with("write 127.0.0.1:9876"));
        assert!(told("localhost").ends_with("write localhost:9876"));
        assert!(told("localhost:http").contains("port"));
        assert!(told("localhost:65536").contains("port"));
    }
}
