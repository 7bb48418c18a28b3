//! [`Args`]: the `--name value` flags all programs here take.

use std::str::FromStr;

use anyhow::{Context, Result, bail};

/// Flags with one value each, in the order given.
#[derive(Debug)]
pub struct Args(Vec<(String, String)>);

impl Args {
    /// Reads the flags of this process.
    ///
    /// # Errors
    ///
    /// Fails on a word that is no flag, and on a flag without a value.
    pub fn from_env() -> Result<Self> {
        Self::parse(std::env::args().skip(1))
    }

    /// Reads flags from `words`.
    ///
    /// # Errors
    ///
    /// Fails on a word that is no flag, and on a flag without a value.
    pub fn parse(words: impl IntoIterator<Item = String>) -> Result<Self> {
        let mut words = words.into_iter();
        let mut flags = Vec::new();
        while let Some(word) = words.next() {
            let Some(name) = word.strip_prefix("--") else {
                bail!("`{word}` is no flag: write `--name value`")
            };
            let value = words.next().with_context(|| format!("--{name} needs a value"))?;
            flags.push((name.to_owned(), value));
        }
        Ok(Self(flags))
    }

    /// The text of flag `name`, if it was given.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(flag, _)| flag == name).map(|(_, value)| value.as_str())
    }

    /// The value of flag `name`, or `default`.
    ///
    /// # Errors
    ///
    /// Fails when the value does not parse.
    pub fn get<T: FromStr>(&self, name: &str, default: T) -> Result<T> {
        match self.text(name) {
            None => Ok(default),
            Some(value) => value.parse().ok().with_context(|| format!("--{name} {value} cannot be read")),
        }
    }

    /// The value of flag `name`, which must be there.
    ///
    /// # Errors
    ///
    /// Fails when it is missing or does not parse.
    pub fn need<T: FromStr>(&self, name: &str) -> Result<T> {
        let value = self.text(name).with_context(|| format!("--{name} is missing"))?;
        value.parse().ok().with_context(|| format!("--{name} {value} cannot be read"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Result<Args> {
        Args::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn a_flag_is_read_and_the_rest_take_their_defaults() {
        let args = args("--window 64").unwrap();
        assert_eq!(args.get("window", 1).unwrap(), 64);
        assert_eq!(args.get("rounds", 5).unwrap(), 5);
    }

    #[test]
    fn a_missing_value_and_a_stray_word_are_refused() {
        assert!(args("--window").is_err());
        assert!(args("window 64").is_err());
        assert!(args("--window x").unwrap().get("window", 1).is_err());
        assert!(args("").unwrap().need::<u32>("pid").is_err());
    }
}
