//! [`columns`]: a table for people.

/// Columns that are wider do not make room for all.
const WIDEST: usize = 40;

/// A heading and rows in columns, each with something behind it.
pub(crate) fn columns<const N: usize>(heading: [&str; N], rows: &[([String; N], String)]) -> String {
    let heading = heading.map(str::to_owned);
    let all = || std::iter::once(&heading).chain(rows.iter().map(|(cells, _)| cells));
    let width =
        |at: usize| all().map(|cells| cells[at].chars().count()).filter(|width| *width <= WIDEST).max();
    let widths: [usize; N] = std::array::from_fn(|at| width(at).unwrap_or_default());
    let line = |cells: &[String; N], rest: &str| {
        let cells: String =
            cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}  ")).collect();
        format!("{cells}{rest}").trim_end().to_owned()
    };
    let lines = rows.iter().map(|(cells, rest)| line(cells, rest));
    std::iter::once(line(&heading, "")).chain(lines).collect::<Vec<_>>().join("\n")
}
