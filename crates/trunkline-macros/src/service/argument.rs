//! [`Taken`]: what a method takes, an [`Argument`] or what does not travel.

use crate::{
    bare::bare,
    owned::{itself, owned},
    setting,
};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{
    Attribute, Error, Expr, FnArg, Ident, LitStr, Pat, PatType, Result, TraitItemFn, Type, ext::IdentExt,
};

/// What a method takes besides itself, in order.
#[derive(Default)]
pub(super) struct Taken {
    /// What does not travel.
    pub(super) extractors: Vec<Type>,
    pub(super) arguments: Vec<Argument>,
}

/// An argument, which travels.
pub(super) struct Argument {
    pub(super) ident: Ident,
    pub(super) kind: Type,
    /// What it is called elsewhere.
    name: Option<LitStr>,
    default: Option<Default>,
    docs: Vec<Attribute>,
}

/// What an argument is if it is left out.
enum Default {
    OfType,
    Value(Expr),
}

impl Taken {
    /// Reads the inputs behind `&self`.
    pub(super) fn read<'a>(inputs: impl Iterator<Item = &'a FnArg>) -> Result<Self> {
        let mut taken = Self::default();
        for input in inputs {
            let FnArg::Typed(input) = input else { continue };
            if input.attrs.iter().any(|it| it.path().is_ident("extract")) {
                if let Some(before) = taken.arguments.last() {
                    let message = format!(
                        "extractors come first, arguments last: move this one to before `{}`",
                        before.ident
                    );
                    return Err(Error::new_spanned(input, message));
                }
                itself(&input.ty)?;
                taken.extractors.push((*input.ty).clone());
            } else {
                let argument = Argument::read(input)?;
                let name = argument.told();
                if let Some(before) = taken.arguments.iter().find(|it| it.told() == name) {
                    let message = format!(
                        "callers know `{}` as `{name}` too: give one of them another name, `#[arg(name = \"…\")]`",
                        before.ident
                    );
                    return Err(Error::new_spanned(&input.pat, message));
                }
                taken.arguments.push(argument);
            }
        }
        match taken.extractors.get(8) {
            Some(one_more) => Err(Error::new_spanned(one_more, "a procedure takes at most eight extractors")),
            None => Ok(taken),
        }
    }
}

/// Takes off a method what is said of it here alone.
pub(super) fn unmark(method: &mut TraitItemFn) {
    method.attrs.retain(|it| !it.path().is_ident("procedure"));
    for input in &mut method.sig.inputs {
        if let FnArg::Typed(typed) = input {
            typed.attrs.retain(|it| !["arg", "extract", "doc"].iter().any(|name| it.path().is_ident(name)));
        }
    }
}

impl Argument {
    fn read(input: &PatType) -> Result<Self> {
        let Pat::Ident(pattern) = &*input.pat else { return Err(no_name(&input.pat)) };
        if pattern.by_ref.is_some() || pattern.mutability.is_some() || pattern.subpat.is_some() {
            return Err(no_name(&input.pat));
        }
        owned(&input.ty)?;
        let mut argument = Self {
            ident: pattern.ident.clone(),
            kind: (*input.ty).clone(),
            name: None,
            default: None,
            docs: input.attrs.iter().filter(|it| it.path().is_ident("doc")).cloned().collect(),
        };
        argument.say(&input.attrs)?;
        Ok(argument)
    }

    fn say(&mut self, attributes: &[Attribute]) -> Result<()> {
        let settings = setting::of_attributes(attributes, "arg", "#[arg(default)]")?;
        setting::check(&settings, "an argument", &["default", "name"], &[], &[])?;
        for setting in &settings {
            match &*setting.word {
                "name" => self.name = Some(setting.text()?),
                _ => {
                    let value = setting.optional_value()?.cloned();
                    self.default = Some(value.map_or(Default::OfType, Default::Value));
                }
            }
        }
        Ok(())
    }

    /// What callers know it by.
    fn told(&self) -> String {
        self.name.as_ref().map_or_else(|| self.ident.unraw().to_string(), LitStr::value)
    }

    /// The field of the struct that the arguments are read from, and written as.
    pub(super) fn field(&self, of: &Ident) -> TokenStream {
        let Self { ident, kind, name, docs, .. } = self;
        let renamed = name.as_ref().map(|name| quote!(#[serde(rename = #name)]));
        let default = self.default.as_ref().map(|default| match default {
            Default::OfType => quote!(#[serde(default)]),
            Default::Value(_) => {
                let function = format!("{of}::{}", self.default_function());
                quote!(#[serde(default = #function)])
            }
        });
        // with a default, to leave it out is to say something else than `None`
        let omitted = (is_option(kind) && self.default.is_none())
            .then(|| quote!(#[serde(skip_serializing_if = "::core::option::Option::is_none")]));
        quote!(#(#docs)* #renamed #default #omitted #ident: #kind)
    }

    /// The function of the struct that gives its default, if that is a value.
    pub(super) fn default_value(&self) -> Option<TokenStream> {
        let Some(Default::Value(value)) = &self.default else { return None };
        let (function, kind) = (self.default_function(), &self.kind);
        Some(quote!(fn #function() -> #kind { #value }))
    }

    fn default_function(&self) -> Ident {
        format_ident!("__default_{}", self.ident.unraw())
    }
}

fn no_name(pattern: &Pat) -> Error {
    let message = "an argument needs a plain name, which callers know it by: write `name: Type`, \
                   and take it apart where the trait is implemented";
    Error::new_spanned(pattern, message)
}

fn is_option(kind: &Type) -> bool {
    matches!(bare(kind), Type::Path(path) if path.path.segments.last().is_some_and(|it| it.ident == "Option"))
}
