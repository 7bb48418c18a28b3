//! [`Setting`]: one thing that is said in the brackets of an attribute.

use crate::{nearest::nearest, notes};
use syn::{
    Attribute, Error, Expr, LitStr, Meta, Path, Result, Token,
    parse::{Parse, ParseStream, Parser},
    punctuated::Punctuated,
};

/// One thing that is said: `word`, `word = value` or `word(…)`.
pub(crate) struct Setting {
    pub(crate) word: String,
    meta: Meta,
}

/// Settings as they stand between brackets.
pub(crate) type Settings = Punctuated<Setting, Token![,]>;

/// What all the attributes of one name say, such as `#[arg(…)]`.
pub(crate) fn of_attributes(attributes: &[Attribute], name: &str, example: &str) -> Result<Settings> {
    let mut settings = Settings::new();
    for attribute in attributes.iter().filter(|it| it.path().is_ident(name)) {
        if !matches!(attribute.meta, Meta::List(_)) {
            let message = format!("write what is to be said in brackets: `{example}`");
            return Err(Error::new_spanned(attribute, message));
        }
        settings.extend(attribute.parse_args_with(Settings::parse_terminated)?);
    }
    Ok(settings)
}

/// Refuses what nobody knows here, what is said twice (but for what may be), and what
/// does not go together, which is three words: one, another, and what to do about it.
pub(crate) fn check(
    settings: &Settings,
    place: &str,
    known: &[&str],
    repeated: &[&str],
    apart: &[(&str, &str, &str)],
) -> Result<()> {
    for (at, setting) in settings.iter().enumerate() {
        let word = &*setting.word;
        if !known.contains(&word) {
            return Err(setting.unknown(place, known));
        }
        let mut before = settings.iter().take(at);
        if !repeated.contains(&word) && before.clone().any(|it| it.word == word) {
            return Err(setting.error(format!("`{word}` is said twice: drop one of them")));
        }
        let against = before.find_map(|it| {
            let pair = [(&*it.word, word), (word, &*it.word)];
            apart.iter().find(|(one, other, _)| pair.contains(&(one, other)))
        });
        if let Some((one, other, mend)) = against {
            return Err(setting.error(format!("`{one}` and `{other}` do not go together: {mend}")));
        }
    }
    Ok(())
}

impl Parse for Setting {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let meta: Meta = input.parse()?;
        let word = meta.path().get_ident().map_or_else(String::new, ToString::to_string);
        Ok(Self { word, meta })
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

    /// The path behind the `=`, in quotes.
    pub(crate) fn path(&self) -> Result<Path> {
        let text = self.text()?;
        Path::parse_mod_style
            .parse_str(&text.value())
            .map(|mut path| {
                path.segments.iter_mut().for_each(|it| it.ident.set_span(text.span()));
                path
            })
            .map_err(|_| Error::new_spanned(text, "write a path: `\"rpc\"`, or `\"crate::rpc\"`"))
    }

    /// What is wrong with it.
    pub(crate) fn error(&self, message: impl std::fmt::Display) -> Error {
        Error::new_spanned(&self.meta, message)
    }

    /// The `key = value`s in the brackets.
    pub(crate) fn pairs(&self) -> Result<Vec<(String, Expr)>> {
        let Meta::List(list) = &self.meta else { return Err(self.wrong("(key = value)", "it takes pairs")) };
        let pairs = list.parse_args_with(Punctuated::<syn::MetaNameValue, Token![,]>::parse_terminated);
        let pairs = pairs.map_err(|_| self.wrong("(key = value)", "it takes pairs"))?;
        let named = |pair: syn::MetaNameValue| match pair.path.get_ident() {
            Some(key) => Ok((key.to_string(), pair.value)),
            None => Err(Error::new_spanned(pair.path, "a key is one word: `data(role = \"clerk\")`")),
        };
        pairs.into_iter().map(named).collect()
    }

    fn wrong(&self, shape: &str, why: &str) -> Error {
        self.error(format!("write `{}{shape}`: {why}", self.word))
    }

    /// What to say of a word that nobody knows here.
    fn unknown(&self, place: &str, known: &[&str]) -> Error {
        let word = &self.word;
        let meant = match nearest(word, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}", known.join(", ")),
        };
        self.error(format!("{place} has no setting `{word}`: {meant}"))
    }
}
