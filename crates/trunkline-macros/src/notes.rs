//! What the ordinary attributes of an item say: its documentation, and that it is deprecated.

use crate::bare::bare_value;
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Meta, Token, punctuated::Punctuated};

/// The documentation of an item, without the space that begins each line.
pub(crate) fn documentation(attributes: &[Attribute]) -> Option<String> {
    let lines: Vec<String> = attributes
        .iter()
        .filter(|it| it.path().is_ident("doc"))
        .filter_map(|it| text(&it.meta.require_name_value().ok()?.value))
        .map(|line| line.value())
        .map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned())
        .collect();
    let text = lines.join("\n").trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// What `#[deprecated]` says, if it is there.
pub(crate) fn deprecated(attributes: &[Attribute]) -> Option<String> {
    let attribute = attributes.iter().find(|it| it.path().is_ident("deprecated"))?;
    let note = match &attribute.meta {
        Meta::Path(_) => None,
        Meta::NameValue(pair) => text(&pair.value),
        Meta::List(list) => {
            let said = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok();
            said.into_iter().flatten().find_map(|meta| match meta {
                Meta::NameValue(pair) if pair.path.is_ident("note") => text(&pair.value),
                _ => None,
            })
        }
    };
    Some(note.map_or_else(|| "it is deprecated".to_owned(), |note| note.value()))
}

/// The attributes by which an item may be left out.
pub(crate) fn conditions(attributes: &[Attribute]) -> Vec<Attribute> {
    attributes.iter().filter(|it| it.path().is_ident("cfg")).cloned().collect()
}

/// A literal text.
pub(crate) fn text(value: &Expr) -> Option<LitStr> {
    match bare_value(value) {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.clone()),
        _ => None,
    }
}
