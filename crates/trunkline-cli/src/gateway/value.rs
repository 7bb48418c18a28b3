//! [`Read`]: settings as people write them, with their units.

use super::settings::Value;
use crate::{bind_address::BindAddress, duration};
use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroUsize,
    time::Duration,
};

/// Something that a setting may be.
pub(super) trait Read: Sized {
    /// Reads it; or says what it should be, so that it can stand behind the setting's name.
    /// What was written is not repeated: it may be a secret in the wrong place.
    fn read(value: &Value) -> Result<Self, String>;
}

impl Read for String {
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Text(text) | Value::Typed(text) if text.is_empty() => Err("is empty".to_owned()),
            Value::Text(text) | Value::Typed(text) => Ok(text.clone()),
            other => Err(format!("is {other}, and must be a text in quotes")),
        }
    }
}

impl Read for bool {
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Truth(truth) => Ok(*truth),
            Value::Typed(text) if text == "true" || text == "false" => Ok(text == "true"),
            Value::Typed(_) => Err("must be `true` or `false`".to_owned()),
            other => Err(format!("is {other}, and must be `true` or `false`, without quotes")),
        }
    }
}

/// How many.
impl Read for usize {
    fn read(value: &Value) -> Result<Self, String> {
        let number = match value {
            Value::Number(number) => Self::try_from(*number).ok(),
            Value::Typed(text) => text.parse().ok(),
            other => return Err(format!("is {other}, and must be a number, without quotes and unit")),
        };
        number.ok_or_else(|| "must be a number that is not negative, such as 256".to_owned())
    }
}

/// How many, but not none.
impl Read for NonZeroUsize {
    fn read(value: &Value) -> Result<Self, String> {
        Self::new(usize::read(value)?).ok_or_else(|| "must be 1 at least".to_owned())
    }
}

impl Read for Duration {
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Text(text) | Value::Typed(text) => {
                duration::parse(text).map_err(|error| format!("is no time: {error}"))
            }
            Value::Number(_) => Err("has no unit; write \"500ms\", \"5s\" or \"2m\"".to_owned()),
            other => Err(format!("is {other}, and must be a time; write \"500ms\", \"5s\" or \"2m\"")),
        }
    }
}

/// How many bytes; at least one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Size(pub(super) usize);

const UNITS: [(&str, usize); 8] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("B", 1),
];

impl Read for Size {
    fn read(value: &Value) -> Result<Self, String> {
        const WRITE: &str = "write \"64KiB\", \"10MiB\" or a number of bytes";
        let bytes = match value {
            Value::Number(bytes) => usize::try_from(*bytes).ok(),
            Value::Text(text) | Value::Typed(text) => {
                let unit = UNITS.iter().find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, *bytes)));
                let (digits, unit) = unit.unwrap_or((text, 1));
                digits.trim_end().parse::<usize>().ok().and_then(|number| number.checked_mul(unit))
            }
            other => return Err(format!("is {other}, and must be a size; {WRITE}")),
        };
        match bytes {
            Some(0) => Err(format!("must be 1 byte at least; {WRITE}")),
            Some(bytes) => Ok(Self(bytes)),
            None => Err(format!("is no size; {WRITE}")),
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(_, bytes): &&(&str, usize)| self.0 >= *bytes && self.0.is_multiple_of(*bytes);
        match UNITS[..3].iter().rev().find(fits) {
            Some((unit, bytes)) => write!(f, "{} {unit}", self.0 / bytes),
            None => write!(f, "{} B", self.0),
        }
    }
}

/// How often: so many in each period.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Rate {
    pub(super) calls: u32,
    pub(super) per: Duration,
}

impl Read for Rate {
    fn read(value: &Value) -> Result<Self, String> {
        const WRITE: &str = "write \"100/s\", \"20/1m\" or \"1000/10s\"";
        let (Value::Text(text) | Value::Typed(text)) = value else {
            return Err(format!("is {value}, and must be a rate; {WRITE}"));
        };
        let read = || {
            let (calls, per) = text.split_once('/')?;
            let calls = calls.trim().parse().ok().filter(|calls| *calls > 0)?;
            let per = per.trim();
            let per = if per.starts_with(|first: char| first.is_ascii_digit()) {
                duration::parse(per).ok()?
            } else {
                duration::parse(&format!("1{per}")).ok()?
            };
            Some(Self { calls, per })
        };
        read().ok_or_else(|| format!("is no rate; {WRITE}"))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.calls, humantime::format_duration(self.per))
    }
}

impl Read for BindAddress {
    fn read(value: &Value) -> Result<Self, String> {
        String::read(value)?.parse().map_err(|error| format!("is no address to listen at: {error}"))
    }
}

impl Read for IpAddr {
    fn read(value: &Value) -> Result<Self, String> {
        String::read(value)?.parse().map_err(|_| "must be IP addresses, such as \"10.0.0.7\"".to_owned())
    }
}

/// What may stand in the header `Host`: a name or an address, and perhaps a port.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct HostName(pub(super) String);

impl Read for HostName {
    fn read(value: &Value) -> Result<Self, String> {
        let text = String::read(value)?;
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !text.ends_with(']') => (host, Some(port)),
            _ => (&*text, None),
        };
        let is_name = |name: &str| {
            !name.is_empty()
                && name.split('.').all(|label| !label.is_empty())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        };
        let is_host = match host.strip_prefix('[') {
            Some(rest) => rest.strip_suffix(']').is_some_and(|v6| v6.parse::<Ipv6Addr>().is_ok()),
            None => is_name(host),
        };
        if is_host && port.is_none_or(|port| port.parse::<u16>().is_ok()) {
            return Ok(Self(text));
        }
        Err("must be names as in the header `Host`, such as \"api.example\", \"api.example:8443\" or \
             \"[2001:db8::7]\", without scheme and path"
            .to_owned())
    }
}

/// Some; one alone needs no brackets, and on the command line there are commas between them.
impl<T: Read> Read for Vec<T> {
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::List(items) => items.iter().map(T::read).collect(),
            Value::Typed(text) => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                items.map(|item| T::read(&Value::Typed(item.to_owned()))).collect()
            }
            one => T::read(one).map(|one| vec![one]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed<T: Read>(text: &str) -> Result<T, String> {
        let in_file = T::read(&Value::Text(text.to_owned()));
        let typed = T::read(&Value::Typed(text.to_owned()));
        assert_eq!(in_file.is_ok(), typed.is_ok(), "{text}");
        typed
    }

    #[test]
    fn sizes_have_units() {
        for (text, bytes, shown) in [
            ("1", 1, "1 B"),
            ("64KiB", 65_536, "64 KiB"),
            ("10 MiB", 10 << 20, "10 MiB"),
            ("1GiB", 1 << 30, "1 GiB"),
            ("1500B", 1500, "1500 B"),
            ("2kB", 2000, "2000 B"),
            ("3MB", 3_000_000, "3000000 B"),
        ] {
            let size: Size = typed(text).unwrap();
            assert_eq!((size.0, &*size.to_string()), (bytes, shown), "{text}");
        }
        assert_eq!(Size::read(&Value::Number(5)), Ok(Size(5)));
        for text in ["", "0", "-1", "1.5MiB", "MiB", "10 megabytes", "99999999999999GiB"] {
            assert!(typed::<Size>(text).unwrap_err().contains("64KiB"), "{text}");
        }
        assert!(Size::read(&Value::Number(-1)).is_err());
        assert!(Size::read(&Value::Truth(true)).unwrap_err().starts_with("is `true` or `false`"));
    }

    #[test]
    fn rates_have_periods() {
        let rate = |calls, seconds| Ok(Rate { calls, per: Duration::from_secs(seconds) });
        for (text, expected) in [
            ("100/s", rate(100, 1)),
            ("20/1m", rate(20, 60)),
            ("7 / 10s", rate(7, 10)),
            ("1/h", rate(1, 3600)),
        ] {
            assert_eq!(typed(text), expected, "{text}");
        }
        for text in ["", "100", "0/s", "-1/s", "1/", "1/0s", "a/s", "1/s/s"] {
            assert!(typed::<Rate>(text).unwrap_err().contains("100/s"), "{text}");
        }
    }

    #[test]
    fn hosts_are_names_and_addresses_with_and_without_a_port() {
        for text in [
            "api.example",
            "API.example:8443",
            "localhost",
            "10.0.0.7:80",
            "[2001:db8::7]",
            "[::1]:9876",
            "a_b",
        ] {
            assert_eq!(typed(text), Ok(HostName(text.to_owned())));
        }
        for text in [
            "",
            "https://api.example",
            "api.example/rpc",
            "*",
            "*.example",
            "me@api.example",
            "api..example",
            "api.example.",
            "api.example:",
            "api.example:99999",
            "2001:db8::7",
            "[api]",
            "two words",
            "\u{e9}.example",
        ] {
            assert!(typed::<HostName>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_without_a_unit_is_none() {
        assert!(Duration::read(&Value::Number(30)).unwrap_err().contains("unit"));
        assert_eq!(typed("30s"), Ok(Duration::from_secs(30)));
    }

    #[test]
    fn one_is_as_good_as_a_list_of_one() {
        let one = vec!["a".to_owned()];
        assert_eq!(typed("a"), Ok(one.clone()));
        assert_eq!(Vec::read(&Value::List(vec![Value::Text("a".to_owned())])), Ok(one));
        assert_eq!(Vec::read(&Value::Typed("a, b,".to_owned())), Ok(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(Vec::<String>::read(&Value::List(Vec::new())), Ok(Vec::new()));
        assert!(Vec::<String>::read(&Value::Number(1)).is_err());
    }

    #[test]
    fn what_is_no_text_in_the_file_is_not_put_in_quotes() {
        assert!(usize::read(&Value::Text("5".to_owned())).unwrap_err().contains("without quotes"));
        assert_eq!(usize::read(&Value::Typed("5".to_owned())), Ok(5));
        assert!(bool::read(&Value::Text("true".to_owned())).unwrap_err().contains("without quotes"));
        assert_eq!(bool::read(&Value::Typed("false".to_owned())), Ok(false));
        assert!(bool::read(&Value::Typed("no".to_owned())).is_err());
    }
}
