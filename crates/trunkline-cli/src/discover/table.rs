//! [`render`]: the methods of a server, a line each.

use super::{
    document::{Descriptor, Document, Method},
    kind::kind,
};
use crate::print::plain;

const HEADINGS: [&str; 3] = ["METHOD", "PARAMS", "RESULT"];

/// Columns that are wider do not make room for all.
const WIDEST: usize = 40;

/// Methods in columns, below the title of the document.
pub(super) fn render(document: &Document) -> String {
    let heading = HEADINGS.map(str::to_owned);
    let rows: Vec<([String; 3], String)> =
        document.methods.iter().map(|method| (columns(method), about(method))).collect();
    let all = || std::iter::once(&heading).chain(rows.iter().map(|(columns, _)| columns));
    let width =
        |at: usize| all().map(|columns| columns[at].chars().count()).filter(|width| *width <= WIDEST).max();
    let widths = [0, 1, 2].map(|at| width(at).unwrap_or_default());
    let line = |columns: &[String; 3], about: &str| {
        let cells: String =
            columns.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}  ")).collect();
        format!("{cells}{about}").trim_end().to_owned()
    };
    let title = plain(&format!("{} {}", document.info.title, document.info.version)).into_owned();
    let lines = rows.iter().map(|(columns, about)| line(columns, about));
    [title, String::new(), line(&heading, "")].into_iter().chain(lines).collect::<Vec<_>>().join("\n")
}

fn columns(method: &Method) -> [String; 3] {
    let params = match &method.params_schema {
        Some(schema) if method.params.is_empty() => format!("…: {}", kind(schema)),
        _ => method.params.iter().map(param).collect::<Vec<_>>().join(", "),
    };
    let result = match (&method.stream, &method.result) {
        (Some(stream), _) => format!("stream of {}", kind(&stream.item)),
        (None, Some(result)) => kind(&result.schema),
        (None, None) => String::new(),
    };
    [&method.name, &params, &result].map(|text| plain(text).into_owned())
}

fn param(param: &Descriptor) -> String {
    let optional = if param.required { "" } else { "?" };
    format!("{}{optional}: {}", param.name, kind(&param.schema))
}

fn about(method: &Method) -> String {
    let summary = method.summary();
    let summary = plain(&summary);
    if method.deprecated { format!("(deprecated) {summary}") } else { summary.into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_method_has_a_line() {
        let name = "a.name.that.is.longer.than.any.column.should.be.wide";
        let document = json!({
            "info": {"title": "a\u{1b}[2J service", "version": "1.2.3"},
            "methods": [
                {
                    "name": "add",
                    "summary": "The sum.",
                    "params": [
                        {"name": "a", "schema": {"type": "number"}, "required": true},
                        {"name": "b", "schema": {"type": "number"}},
                    ],
                    "result": {"name": "result", "schema": {"type": "number"}},
                },
                {"name": "log", "deprecated": true, "params": [], "x-params-schema": {}, "summary": "Notes it."},
                {"name": name, "params": []},
                {
                    "name": "ticks",
                    "params": [],
                    "result": {"name": "subscription", "schema": {"type": "string"}},
                    "x-stream": {"item": {"type": "number"}},
                },
            ],
        });
        let table = render(&Document::read(&document.to_string()).unwrap());
        assert_eq!(
            table,
            format!(
                "a\\u001b[2J service 1.2.3\n\n\
                 METHOD  PARAMS                 RESULT\n\
                 add     a: number, b?: number  number            The sum.\n\
                 log     …: any                                   (deprecated) Notes it.\n\
                 {name}\n\
                 ticks                          stream of number"
            )
        );
    }
}
