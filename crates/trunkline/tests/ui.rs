//! What the compiler says to those who get the macros wrong.
//!
//! After a change of what is said, look at it and keep it: `TRYBUILD=overwrite cargo test -p trunkline --test ui`.

#[test]
fn mistakes_are_told_with_their_mend() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
}
