//! [`Setting`]: one thing that is said in the brackets of an attribute.

use crate::{nearest::nearest, notes};
use proc_macro2::Span;
use syn::{
    Error, Expr, LitStr, Meta, Result, Token,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
    spanned::Spanned,
};

/// One thing that is said: `word`, `word = value` or `word(…)`.
pub(crate) struct Setting {
    pub(crate) word: String,
    pub(crate) span: Span,
    meta: Meta,
}

/// Settings as they stand between brackets.
pub(crate) type Settings = Punctuated<Setting, Token![,]>;

impl Parse for Setting {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let meta: Meta = input.parse()?;
        let word = meta.path().get_ident().map_or_else(String::new, ToString::to_string);
        Ok(Self { word, span: meta.span(), meta })
    }
}

impl Setting {
    /// That the word says it all.
    pub(crate) fn flag(&self) -> Result<bool> {
        match &self.meta {
            Meta::Path(_) => Ok(true),
            _ => Err(self.wrong("", "it stands alone")),
        }
    }

    /// The value behind the `=`.
    pub(crate) fn value(&self) -> Result<&Expr> {
        match &self.meta {
            Meta::NameValue(pair) => Ok(&pair.value),
            _ => Err(self.wrong(" = …", "it takes a value")),
        }
    }

    /// The value behind the `=`, if there is one.
    pub(crate) fn optional_value(&self) -> Result<Option<&Expr>> {
        match &self.meta {
            Meta::Path(_) => Ok(None),
            _ => self.value().map(Some),
        }
    }

    /// The text behind the `=`.
    pub(crate) fn text(&self) -> Result<LitStr> {
        notes::text(self.value()?)
            .filter(|text| !text.value().is_empty())
            .ok_or_else(|| self.wrong(" = \"…\"", "it takes a text in quotes"))
    }

    /// The `key = value`s in the brackets.
    pub(crate) fn pairs(&self) -> Result<Vec<(String, Expr)>> {
        let Meta::List(list) = &self.meta else { return Err(self.wrong("(key = value)", "it takes pairs")) };
        let pairs = list.parse_args_with(Punctuated::<syn::MetaNameValue, Token![,]>::parse_terminated);
        let pairs = pairs.map_err(|_| self.wrong("(key = value)", "it takes pairs"))?;
        let named = |pair: syn::MetaNameValue| match pair.path.get_ident() {
            Some(key) => Ok((key.to_string(), pair.value)),
            None => Err(Error::new(pair.path.span(), "a key is one word")),
        };
        pairs.into_iter().map(named).collect()
    }

    fn wrong(&self, shape: &str, why: &str) -> Error {
        Error::new(self.span, format!("write `{}{shape}`: {why}", self.word))
    }

    /// What to say of a word that nobody knows here.
    pub(crate) fn unknown(&self, place: &str, known: &[&str]) -> Error {
        let word = &self.word;
        let meant = match nearest(word, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}", known.join(", ")),
        };
        Error::new(self.span, format!("{place} has no setting `{word}`: {meant}"))
    }
}
