//! [`render`]: the methods of a server, a line each.

use super::{
    document::{Descriptor, Document, Method},
    kind::kind,
};
use crate::print::{columns, plain};

const HEADINGS: [&str; 3] = ["METHOD", "PARAMS", "RESULT"];

/// Methods in columns, below the title of the document.
pub(super) fn render(document: &Document) -> String {
    let rows: Vec<_> = document.methods.iter().map(|method| (cells(method), about(method))).collect();
    let title = plain(&format!("{} {}", document.info.title, document.info.version)).into_owned();
    format!("{title}\n\n{}", columns(HEADINGS, &rows))
}

fn cells(method: &Method) -> [String; 3] {
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
