#[trunkline::service]
trait Texts {
    async fn shout(&self, text: &str) -> String;

    async fn join(&self, texts: &[String]) -> String;

    async fn name(&self) -> &'static str;
}

fn main() {}

//~ 3:33 what travels is owned, on either side: write `String` instead of a reference
//~ 5:33 what travels is owned, on either side: write `Vec<String>` instead of a reference
//~ 7:29 what travels is owned, on either side: write `String` instead of a reference
