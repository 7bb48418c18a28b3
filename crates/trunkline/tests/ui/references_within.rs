use std::borrow::Cow;

#[trunkline::service]
trait Texts {
    async fn shout(&self, text: Option<&str>) -> String;

    async fn join(&self, texts: Vec<(u8, &'static str)>) -> Result<Vec<&'static [u8]>, trunkline::Fault>;

    async fn borrow(&self, text: Cow<'_, str>) -> String;

    async fn own(&self) -> Option<Box<Self>>;
}

#[derive(Debug, trunkline::Fault)]
enum ReadError {
    #[fault("no {0}")]
    No(&'static str),
}

fn main() {}

//~ 5:40 what travels is owned, on either side: write `String` instead of a reference
//~ 7:42 what travels is owned, on either side: write `String` instead of a reference
//~ 9:38 what travels is owned, on either side: write `'static`, or a type that borrows nothing
//~ 11:39 callers do not know what implements the trait: name the type in place of `Self`
//~ 17:8 what travels is owned, on either side: write `String` instead of a reference
