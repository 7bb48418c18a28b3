//! [`Said`]: what `#[fault(…)]` says of one error.

use crate::{nearest::nearest, setting::Settings};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{
    Attribute, Error, Expr, Ident, LitStr, Meta, Result, Token,
    parse::{Parse, ParseStream},
    spanned::Spanned,
};

/// What can be said.
const KNOWN: &[&str] = &["code", "name", "kind", "internal"];
/// The kinds of faults that an application has.
const KINDS: &[&str] = &[
    "Failed",
    "InvalidArgs",
    "NotFound",
    "Forbidden",
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
    pub(super) fn read(attributes: &[Attribute]) -> Result<Self> {
        let mut said = Self::default();
        for attribute in attributes.iter().filter(|it| it.path().is_ident("fault")) {
            if !matches!(attribute.meta, Meta::List(_)) {
                let message =
                    "write what is to be said of the error: `#[fault(\"the room is full\", code = 4001)]`";
                return Err(Error::new(attribute.span(), message));
            }
            said.add(attribute.parse_args()?)?;
        }
        Ok(said)
    }

    fn add(&mut self, brackets: Brackets) -> Result<()> {
        self.message = brackets.message.or(self.message.take());
        for setting in &brackets.settings {
            match &*setting.word {
                "code" => self.code = Some(setting.value()?.clone()),
                "name" => self.name = Some(setting.text()?),
                "internal" => self.internal = setting.flag()?,
                "kind" => self.kind = Some(kind(setting.value()?)?),
                _ => return Err(setting.unknown("a fault", KNOWN)),
            }
        }
        Ok(())
    }

    /// The kind of the fault.
    pub(super) fn kind(&self) -> TokenStream {
        match &self.kind {
            Some(kind) => quote!(::trunkline::FaultKind::#kind),
            None => quote!(::trunkline::FaultKind::Failed),
        }
    }
}

/// `Forbidden`, or `FaultKind::Forbidden`.
fn kind(value: &Expr) -> Result<Ident> {
    let word = match value {
        Expr::Path(path) => path.path.segments.last().map(|it| it.ident.clone()),
        _ => None,
    };
    let word = word.ok_or_else(|| {
        Error::new(value.span(), "a kind is one of those of `FaultKind`: `kind = Forbidden`")
    })?;
    let text = word.to_string();
    if KINDS.contains(&&*text) {
        return Ok(word);
    }
    let meant = match nearest(&text, KINDS.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are {}", KINDS.join(", ")),
    };
    Err(Error::new(value.span(), format!("there is no kind `{text}`: {meant}")))
}
