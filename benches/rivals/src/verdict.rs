//! [`verdict`]: how a target was met.

/// The word for a figure and whether it meets its target, and what to show of it; one that is missed is counted, one
/// that was not measured is neither met nor missed.
pub fn verdict(is: Option<(String, bool)>, missed: &mut usize) -> (&'static str, String) {
    match is {
        None => ("-", "not measured".to_owned()),
        Some((is, true)) => ("pass", is),
        Some((is, false)) => {
            *missed += 1;
            ("FAIL", is)
        }
    }
}
