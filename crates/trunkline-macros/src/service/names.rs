//! [`Names`]: what is made of a trait is called so, and finds trunkline there.

use crate::setting::{Setting, Settings};
use quote::format_ident;
use syn::{Ident, Path, Result, parse_quote};

/// What is made of a trait is called so, and finds trunkline there.
pub(super) struct Names {
    pub(super) client: Ident,
    pub(super) wrapper: Ident,
    /// The crate `trunkline`, or what stands for it.
    pub(super) facade: Path,
}

impl Names {
    /// What the settings of a trait say, or else what is usual.
    pub(super) fn read(settings: &Settings, of: &Ident) -> Result<Self> {
        let mut names = Self {
            client: format_ident!("{of}Client"),
            wrapper: format_ident!("{of}Service"),
            facade: parse_quote!(::trunkline),
        };
        for setting in settings {
            match &*setting.word {
                "client" => names.client = ident(setting)?,
                "service" => names.wrapper = ident(setting)?,
                "crate" => names.facade = setting.path()?,
                _ => {}
            }
        }
        Ok(names)
    }
}

fn ident(setting: &Setting) -> Result<Ident> {
    let text = setting.text()?;
    let name: Ident =
        text.parse().map_err(|_| setting.error("write the name of a type: `\"Calculator\"`"))?;
    Ok(name)
}
