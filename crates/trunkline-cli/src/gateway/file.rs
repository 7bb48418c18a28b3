//! [`read`]: what the file says, setting by setting.

use super::{
    problem::{Place, Problem},
    settings::{Given, Value},
};
use std::path::Path;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// Reads the text of a file: what is given in it, in any order, and all that is wrong with
/// its form.
pub(super) fn read(path: &Path, text: &str) -> (Vec<Given>, Vec<Problem>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let file = File { path, text };
    let problem = |error: toml::de::Error| Problem {
        place: file.place(error.span().map_or(0, |span| span.start)),
        text: error.message().to_owned(),
    };
    let mut given = Vec::new();
    file.flatten("", table.get_ref(), &mut given);
    (given, errors.into_iter().map(problem).collect())
}

struct File<'a> {
    path: &'a Path,
    text: &'a str,
}

impl File<'_> {
    fn flatten(&self, prefix: &str, table: &DeTable<'_>, given: &mut Vec<Given>) {
        for (name, value) in table {
            let key = match prefix {
                "" => name.get_ref().to_string(),
                _ => format!("{prefix}.{}", name.get_ref()),
            };
            match value.get_ref() {
                DeValue::Table(inner) if !inner.is_empty() => self.flatten(&key, inner, given),
                other => {
                    given.push(Given { key, value: of(other), place: self.place(name.span().start) });
                }
            }
        }
    }

    /// Lines and columns count from 1, columns in characters.
    fn place(&self, at: usize) -> Place {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        Place::File {
            path: self.path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

fn of(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::Number(number),
            Err(_) => Value::Other("a number that is too large"),
        },
        DeValue::Boolean(truth) => Value::Truth(*truth),
        DeValue::Array(items) => Value::List(items.iter().map(Spanned::get_ref).map(of).collect()),
        DeValue::Table(_) => Value::Other("a table"),
        DeValue::Float(_) => Value::Other("a fraction"),
        DeValue::Datetime(_) => Value::Other("a date"),
    }
}
