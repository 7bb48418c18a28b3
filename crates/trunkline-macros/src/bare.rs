//! [`bare`]: what is written, without the parentheses around it, and without the
//! invisible ones that `macro_rules` puts around what it was given.

use syn::{Expr, Type};

/// A type without what groups it.
pub(crate) fn bare(kind: &Type) -> &Type {
    match kind {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        kind => kind,
    }
}

/// The same, to change it.
pub(crate) fn bare_mut(kind: &mut Type) -> &mut Type {
    match kind {
        Type::Group(group) => bare_mut(&mut group.elem),
        Type::Paren(paren) => bare_mut(&mut paren.elem),
        kind => kind,
    }
}

/// A value without what groups it.
pub(crate) fn bare_value(value: &Expr) -> &Expr {
    match value {
        Expr::Group(group) => bare_value(&group.expr),
        Expr::Paren(paren) => bare_value(&paren.expr),
        value => value,
    }
}
