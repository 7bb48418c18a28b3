#[trunkline::service]
trait Texts {
    async fn shout(&self, text: &str) -> String;

    async fn join(&self, texts: &[String]) -> String;

    async fn name(&self) -> &'static str;
}

fn main() {}
