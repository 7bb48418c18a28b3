//! [`Said`]: what the attributes of a trait or of a method say.

use crate::{
    duration,
    setting::{self, Settings},
};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, Expr, LitStr, Result};

/// What can be said of a trait, and so of all its methods.
const OF_TRAIT: &[&str] = &[
    "scope",
    "version",
    "internal",
    "deprecated",
    "group",
    "data",
    "timeout",
    "ordered",
    "client",
    "service",
    "crate",
];
/// What can be said of a method.
const OF_METHOD: &[&str] = &[
    "name",
    "version",
    "internal",
    "deprecated",
    "group",
    "data",
    "timeout",
    "ordered",
    "notification",
    "idempotent",
    "parallel",
    "blocking",
];

/// What does not go together.
const APART: &[(&str, &str, &str)] =
    &[("parallel", "blocking", "say `parallel` of what computes, and `blocking` of what blocks its thread")];

/// What is said of a method, or of all of them.
#[derive(Clone, Default)]
pub(super) struct Said {
    pub(super) scope: Option<LitStr>,
    pub(super) name: Option<LitStr>,
    pub(super) version: Option<LitStr>,
    pub(super) deprecated: Option<String>,
    pub(super) groups: Vec<LitStr>,
    pub(super) data: Vec<(String, Expr)>,
    pub(super) timeout: Option<u64>,
    pub(super) notification: bool,
    /// Words that are methods of a registration.
    pub(super) flags: Vec<&'static str>,
}

impl Said {
    /// What is said of a trait.
    pub(super) fn of_trait(settings: &Settings) -> Result<Self> {
        Self::default().and(settings, "a service", OF_TRAIT)
    }

    /// What is said of a method besides.
    pub(super) fn of_method(self, settings: &Settings) -> Result<Self> {
        self.and(settings, "a procedure", OF_METHOD)
    }

    fn and(mut self, settings: &Settings, place: &str, known: &[&'static str]) -> Result<Self> {
        setting::check(settings, place, known, &["group"], APART)?;
        for setting in settings {
            let Some(word) = known.iter().copied().find(|it| *it == setting.word) else { continue };
            match word {
                "scope" => self.scope = Some(named(setting.text()?)?),
                "name" => self.name = Some(named(setting.text()?)?),
                "version" => self.version = Some(setting.text()?),
                "deprecated" => {
                    let why = setting.optional_value()?.map(|_| setting.text()).transpose()?;
                    self.deprecated =
                        Some(why.map_or_else(|| "it is deprecated".to_owned(), |it| it.value()));
                }
                "group" => self.groups.push(setting.text()?),
                "data" => self.data.extend(setting.pairs()?),
                "timeout" => self.timeout = Some(duration::millis(setting.value()?)?),
                "notification" => self.notification = setting.flag()?,
                // these are about what is made of the trait: `Names`
                "client" | "service" | "crate" => {}
                _ => {
                    setting.flag()?;
                    if !self.flags.contains(&word) {
                        self.flags.push(word);
                    }
                }
            }
        }
        Ok(self)
    }

    /// The same, as methods of a registration.
    pub(super) fn registered(&self) -> TokenStream {
        let version = self.version.iter().map(|it| quote!(.version(#it)));
        let deprecated = self.deprecated.iter().map(|it| quote!(.deprecated(#it)));
        let groups = self.groups.iter().map(|it| quote!(.group(#it)));
        let data = self.data.iter().map(|(key, value)| quote!(.data(#key, #value)));
        let timeout =
            self.timeout.iter().map(|it| quote!(.timeout(::core::time::Duration::from_millis(#it))));
        let notification = self.notification.then(|| quote!(.notification()));
        let flags = self.flags.iter().map(|it| {
            let flag = quote::format_ident!("{it}");
            quote!(.#flag())
        });
        quote!(#(#version)* #(#deprecated)* #(#groups)* #(#data)* #(#timeout)* #notification #(#flags)*)
    }
}

/// A name that procedures can have.
fn named(text: LitStr) -> Result<LitStr> {
    let name = text.value();
    let reserved = name == "rpc" || name.starts_with("rpc.");
    match reserved || name.trim() != name {
        true => Err(Error::new_spanned(
            text,
            "a name has no spaces around it, and does not begin with `rpc.`, which is the protocol's own: choose another",
        )),
        false => Ok(text),
    }
}
