//! [`Said`]: what `#[fault(…)]` says of one error.

use crate::{
    bare::bare_value,
    nearest::nearest,
    setting::{self, Settings},
};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{
    Attribute, Error, Expr, Ident, LitStr, Meta, Path, Result, Token,
    parse::{Parse, ParseStream},
};

/// What can be said of one error of an enum.
pub(super) const OF_VARIANT: &[&str] = &["code", "name", "kind", "internal"];
/// What can be said of a struct that is an error.
pub(super) const OF_STRUCT: &[&str] = &["code", "name", "kind", "internal", "crate"];
/// What can be said of all the errors of an enum.
pub(super) const OF_ENUM: &[&str] = &["crate"];
/// What nobody hears of.
const INTERNAL: &str = "callers hear \"Internal error\", and no more";
/// The kinds of faults that an application has.
const KINDS: &[&str] = &[
    "Failed",
    "InvalidArgs",
    "NotFound",
    "Unauthenticated",
    "Forbidden",
    "RateLimited",
    "Unavailable",
    "Internal",
    "Cancelled",
    "DeadlineExceeded",
];

/// What is said of one error.
#[derive(Default)]
pub(super) struct Said {
    pub(super) message: Option<LitStr>,
    pub(super) code: Option<Expr>,
    pub(super) name: Option<LitStr>,
    pub(super) kind: Option<Ident>,
    pub(super) internal: bool,
    pub(super) facade: Option<Path>,
}

/// The brackets: a message first, if there is one.
struct Brackets {
    message: Option<LitStr>,
    settings: Settings,
}

impl Parse for Brackets {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let message: Option<LitStr> = input.peek(LitStr).then(|| input.parse()).transpose()?;
        if message.is_some() && !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
        Ok(Self { message, settings: Settings::parse_terminated(input)? })
    }
}

impl Said {
    pub(super) fn read(attributes: &[Attribute], known: &[&str]) -> Result<Self> {
        let mut said = Self::default();
        let mut settings = Settings::new();
        for attribute in attributes.iter().filter(|it| it.path().is_ident("fault")) {
            if !matches!(attribute.meta, Meta::List(_)) {
                let message =
                    "write what is to be said of the error: `#[fault(\"the room is full\", code = 4001)]`";
                return Err(Error::new_spanned(attribute, message));
            }
            let brackets: Brackets = attribute.parse_args()?;
            if let (Some(_), Some(second)) = (&said.message, &brackets.message) {
                return Err(Error::new_spanned(second, "the message is said twice: drop one of them"));
            }
            said.message = said.message.or(brackets.message);
            settings.extend(brackets.settings);
        }
        said.add(&settings, known)?;
        Ok(said)
    }

    fn add(&mut self, settings: &Settings, known: &[&str]) -> Result<()> {
        let apart = ["code", "name", "kind"].map(|word| ("internal", word, INTERNAL));
        setting::check(settings, "a fault", known, &[], &apart)?;
        for setting in settings {
            match &*setting.word {
                "code" => self.code = Some(setting.value()?.clone()),
                "name" => self.name = Some(setting.text()?),
                "internal" => self.internal = setting.flag()?,
                "crate" => self.facade = Some(setting.path()?),
                _ => self.kind = Some(kind(setting.value()?)?),
            }
        }
        Ok(())
    }

    /// The kind of the fault.
    pub(super) fn kind(&self) -> TokenStream {
        match &self.kind {
            Some(kind) => quote!(__trunkline::FaultKind::#kind),
            None => quote!(__trunkline::FaultKind::Failed),
        }
    }
}

/// `Forbidden`, or `FaultKind::Forbidden`.
fn kind(value: &Expr) -> Result<Ident> {
    let word = match bare_value(value) {
        Expr::Path(path) => path.path.segments.last().map(|it| it.ident.clone()),
        _ => None,
    };
    let word = word.ok_or_else(|| {
        Error::new_spanned(value, "a kind is one of those of `FaultKind`: `kind = Forbidden`")
    })?;
    let text = word.to_string();
    if KINDS.contains(&&*text) {
        return Ok(word);
    }
    let meant = match nearest(&text, KINDS.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are {}", KINDS.join(", ")),
    };
    Err(Error::new_spanned(value, format!("there is no kind `{text}`: {meant}")))
}
