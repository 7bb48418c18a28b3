//! [`Header`]: a header to send along, as curl takes it.

use std::{fmt, str::FromStr};

/// A header to send along: `Name: value`.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Header {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl FromStr for Header {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = text.split_once(':').ok_or("it has no colon; write 'Name: value'")?;
        let (name, value) = (name.trim(), value.trim());
        if name.is_empty() {
            return Err("it has no name; write 'Name: value'");
        }
        Ok(Self { name: name.to_owned(), value: value.to_owned() })
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Header").field(&self.name).finish() // the value may be a secret
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_colon_ends_the_name() {
        let header: Header = "Authorization:  Bearer a:b ".parse().unwrap();
        assert_eq!(header, Header { name: "Authorization".into(), value: "Bearer a:b".into() });
        assert_eq!("X-Empty:".parse::<Header>().unwrap().value, "");
    }

    #[test]
    fn a_header_has_a_name_and_a_colon() {
        assert!("Authorization".parse::<Header>().is_err());
        assert!(": value".parse::<Header>().is_err());
    }

    #[test]
    fn a_secret_is_not_shown() {
        let header: Header = "Authorization: Bearer hunter2".parse().unwrap();
        assert!(!format!("{header:?}").contains("hunter2"));
    }
}
