//! [`Address`]: where to connect to, and how.

use super::DialError;
use http::Uri;
use std::{fmt, path::PathBuf, str::FromStr};

/// What an address may begin with, for those who wrote something else.
const SCHEMES: &str = "tcp://, tls+tcp://, unix:, ws://, wss://, http://, https://, stdio:, stdio+lsp:";

/// Where to connect to, and how; the [module](super) lists the forms there are.
///
/// ```
/// # use trunkline_net::dial::Address;
/// let address: Address = "ws://127.0.0.1:9876/rpc".parse()?;
/// assert_eq!(address.to_string(), "ws://127.0.0.1:9876/rpc");
/// # Ok::<(), trunkline_net::dial::DialError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Address {
    /// A TCP stream to `host:port`.
    Tcp {
        /// `host:port`.
        authority: String,
        /// Whether under TLS.
        tls: bool,
    },
    /// A Unix socket.
    Unix(PathBuf),
    /// A WebSocket.
    WebSocket {
        /// The whole address.
        uri: Uri,
        /// Whether under TLS.
        tls: bool,
    },
    /// One POST a message.
    Http {
        /// The whole address.
        uri: Uri,
        /// Whether under TLS.
        tls: bool,
    },
    /// A child process, spoken with over its standard input and output.
    Stdio {
        /// The program.
        program: String,
        /// Its arguments.
        args: Vec<String>,
        /// Whether in the framing of the Language Server Protocol, whatever the
        /// dialler is set to.
        lsp: bool,
    },
}

impl Address {
    /// Where the server is, for those who are told of calls: a host or a path, and a port.
    pub(crate) fn place(&self) -> (Option<String>, Option<u16>) {
        match self {
            Self::Tcp { authority, .. } => match authority.rsplit_once(':') {
                Some((host, port)) => (Some(bare(host)), port.parse().ok()),
                None => (Some(bare(authority)), None),
            },
            Self::Unix(path) => (Some(path.display().to_string()), None),
            Self::WebSocket { uri, tls } | Self::Http { uri, tls } => {
                (uri.host().map(bare), Some(port(uri, *tls)))
            }
            Self::Stdio { .. } => (None, None),
        }
    }
}

impl FromStr for Address {
    type Err = DialError;

    /// Reads an address.
    ///
    /// The words of a `stdio:` address are separated by white space; a word that
    /// has some in it stands in single or double quotes. No shell is involved.
    fn from_str(text: &str) -> Result<Self, DialError> {
        Self::parse(text).map_err(|problem| DialError::Address { address: text.to_owned(), problem })
    }
}

impl Address {
    fn parse(text: &str) -> Result<Self, String> {
        let Some((scheme, rest)) = text.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) else {
            return Err(format!("it does not say how to connect; begin it with one of {SCHEMES}"));
        };
        match scheme {
            "unix" => unix(rest),
            "stdio" => stdio(rest, false),
            "stdio+lsp" => stdio(rest, true),
            "tcp" | "tls+tcp" => tcp(text, scheme == "tls+tcp"),
            "ws" | "wss" => Ok(Self::WebSocket { uri: uri(text)?, tls: scheme == "wss" }),
            "http" | "https" => Ok(Self::Http { uri: uri(text)?, tls: scheme == "https" }),
            // `localhost:9876`, as people type it
            _ if rest.parse::<u16>().is_ok() => {
                Err(format!("it does not say how to connect; write tcp://{text} or ws://{text}"))
            }
            _ => Err(format!("there is no `{scheme}:`; begin it with one of {SCHEMES}")),
        }
    }

    /// Whether messages are posted there one by one, so that there is no connection.
    #[must_use]
    pub fn is_http(&self) -> bool {
        matches!(self, Self::Http { .. })
    }

    /// Whether it is reached under TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        match self {
            Self::Tcp { tls, .. } | Self::WebSocket { tls, .. } | Self::Http { tls, .. } => *tls,
            Self::Unix(_) | Self::Stdio { .. } => false,
        }
    }

    /// Whether a lost connection could be made anew: a child process that has
    /// ended is another one when it is started again.
    #[must_use]
    pub fn can_reconnect(&self) -> bool {
        !matches!(self, Self::Stdio { .. })
    }

    /// `host:port`, with the port that goes without saying.
    #[cfg(any(test, feature = "http-client", feature = "ws"))]
    pub(super) fn authority(uri: &Uri, tls: bool) -> String {
        let host = uri.host().unwrap_or_default();
        format!("{host}:{}", port(uri, tls))
    }
}

/// The port, also the one that goes without saying.
fn port(uri: &Uri, tls: bool) -> u16 {
    uri.port_u16().unwrap_or(if tls { 443 } else { 80 })
}

/// A host without the brackets that an IPv6 address stands in (RFC 3986, section 3.2.2).
fn bare(host: &str) -> String {
    host.trim_matches(['[', ']']).to_owned()
}

fn is_scheme(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

fn unix(rest: &str) -> Result<Address, String> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() {
        return Err("it has no path, as in unix:/run/service.sock".into());
    }
    Ok(Address::Unix(path.into()))
}

fn tcp(text: &str, tls: bool) -> Result<Address, String> {
    let uri = uri(text)?;
    let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
    if uri.port_u16().is_none() {
        return Err(format!("it has no port, as in {text}:9877"));
    }
    if uri.path_and_query().is_some_and(|path| !matches!(path.as_str(), "" | "/")) {
        return Err("a TCP stream has no path: it ends after the port".into());
    }
    Ok(Address::Tcp { authority, tls })
}

fn uri(text: &str) -> Result<Uri, String> {
    let uri: Uri = text.parse().map_err(|error| format!("{error}"))?;
    let authority = uri.authority().filter(|authority| !authority.host().is_empty());
    match authority {
        None => Err("it has no host, as in ws://host:port/path".into()),
        Some(authority) if authority.as_str().contains('@') => {
            Err("a user and password in it would not be sent; send the header `authorization` instead".into())
        }
        Some(_) => Ok(uri),
    }
}

fn stdio(rest: &str, lsp: bool) -> Result<Address, String> {
    let mut words = words(rest)?.into_iter();
    let program = words.next().ok_or("it names no program, as in stdio:my-server --flag")?;
    Ok(Address::Stdio { program, args: words.collect(), lsp })
}

/// Splits at white space; quotes of either kind keep words together.
fn words(text: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for letter in text.chars() {
        match quote {
            Some(open) if letter == open => quote = None,
            None if matches!(letter, '"' | '\'') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            None if letter.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    if let Some(open) = quote {
        return Err(format!("a {open} in it is never closed"));
    }
    words.extend(word);
    Ok(words)
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { authority, tls: false } => write!(f, "tcp://{authority}"),
            Self::Tcp { authority, tls: true } => write!(f, "tls+tcp://{authority}"),
            // the first two slashes of an address belong to its form
            Self::Unix(path) if path.as_os_str().as_encoded_bytes().starts_with(b"//") => {
                write!(f, "unix://{}", path.display())
            }
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::WebSocket { uri, .. } | Self::Http { uri, .. } => uri.fmt(f),
            // what comes after the program may be a secret
            Self::Stdio { program, lsp, .. } => {
                write!(f, "stdio{}:{program}", if *lsp { "+lsp" } else { "" })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str, because: &str) {
        let error = text.parse::<Address>().unwrap_err().to_string();
        assert!(error.contains(because), "{error}");
    }

    #[test]
    fn every_form_is_read() {
        let parse = |text: &str| text.parse::<Address>().unwrap();
        assert_eq!(parse("tcp://[::1]:9"), Address::Tcp { authority: "[::1]:9".into(), tls: false });
        assert_eq!(parse("tls+tcp://a:9/"), Address::Tcp { authority: "a:9".into(), tls: true });
        assert_eq!(parse("unix:/a b"), Address::Unix("/a b".into()));
        assert_eq!(parse("unix:///a"), Address::Unix("/a".into()));
        assert!(matches!(parse("ws://a/b?c"), Address::WebSocket { uri, tls: false } if uri.path() == "/b"));
        assert!(
            matches!(parse("wss://a"), Address::WebSocket { uri, tls: true } if Address::authority(&uri, true) == "a:443")
        );
        assert!(parse("https://a").is_http());
        for (text, port) in [("tcp://[::1]:9", 9), ("ws://[::1]/", 80), ("https://[::1]/", 443)] {
            assert_eq!(parse(text).place(), (Some("::1".to_owned()), Some(port)), "{text}");
        }
        assert_eq!(
            parse("stdio:'/a b/c'  -x \"y z\"w ''"),
            Address::Stdio {
                program: "/a b/c".into(),
                args: vec!["-x".into(), "y zw".into(), String::new()],
                lsp: false
            }
        );
        assert!(matches!(parse("stdio+lsp:a"), Address::Stdio { lsp: true, .. }));
    }

    #[test]
    fn what_is_shown_is_read_as_the_same() {
        for text in [
            "tcp://[::1]:9",
            "tls+tcp://a:9",
            "unix:/a b",
            "unix:a",
            "unix:////a",
            "ws://a/b?c",
            "https://a/",
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.to_string(), text);
            assert_eq!(address.to_string().parse::<Address>().unwrap(), address);
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_what_would() {
        refused("gopher://a", "there is no `gopher:`; begin it with one of tcp://");
        refused("localhost:9876", "write tcp://localhost:9876");
        refused("/tmp/socket", "begin it with one of");
        refused("", "begin it with one of");
        refused("tcp://a", "no port");
        refused("tcp://a:1/b", "no path");
        refused("tcp://a:99999", "no port");
        refused("ws:///a", "");
        refused("ws://me:secret@a", "`authorization`");
        refused("unix:", "no path");
        refused("stdio: ", "no program");
        refused("stdio:a 'b", "never closed");
    }
}
