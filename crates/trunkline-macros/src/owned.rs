//! [`owned`]: refuses types of which one side would have to keep what the other one has.

use crate::bare::bare;
use quote::ToTokens;
use syn::{Error, GenericArgument, Path, PathArguments, Result, Type};

/// Refuses what is not owned, however deep inside.
pub(crate) fn owned(kind: &Type) -> Result<()> {
    itself(kind)?;
    match bare(kind) {
        Type::Path(path) => of_path(&path.path),
        Type::Tuple(tuple) => tuple.elems.iter().try_for_each(owned),
        Type::Array(array) => owned(&array.elem),
        _ => Ok(()),
    }
}

/// Refuses what is not owned itself; what is inside is its own business.
pub(crate) fn itself(kind: &Type) -> Result<()> {
    let message = match bare(kind) {
        Type::Reference(reference) => {
            let instead = instead(&reference.elem);
            format!("what travels is owned, on either side: write `{instead}` instead of a reference")
        }
        Type::ImplTrait(_) => {
            "callers need to know the type: write a concrete one instead of `impl …`".to_owned()
        }
        _ => return Ok(()),
    };
    Err(Error::new_spanned(kind, message))
}

fn of_path(path: &Path) -> Result<()> {
    if path.is_ident("Self") {
        return Err(Error::new_spanned(
            path,
            "callers do not know what implements the trait: name the type in place of `Self`",
        ));
    }
    for segment in &path.segments {
        let PathArguments::AngleBracketed(arguments) = &segment.arguments else { continue };
        for argument in &arguments.args {
            match argument {
                GenericArgument::Type(kind) => owned(kind)?,
                GenericArgument::Lifetime(lifetime) if lifetime.ident != "static" => {
                    let message = "what travels is owned, on either side: write `'static`, or a type that borrows nothing";
                    return Err(Error::new_spanned(lifetime, message));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// What to write for a reference to it.
fn instead(kind: &Type) -> String {
    match bare(kind) {
        Type::Slice(slice) => format!("Vec<{}>", written(&slice.elem)),
        kind if kind.to_token_stream().to_string() == "str" => "String".to_owned(),
        kind => written(kind),
    }
}

/// A type as people write it.
fn written(kind: &Type) -> String {
    kind.to_token_stream().to_string().replace(" < ", "<").replace(" >", ">").replace(" :: ", "::")
}
