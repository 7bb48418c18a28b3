#[trunkline::service]
trait Log {
    #[procedure(notification)]
    async fn note(&self, text: String) -> usize;
}

fn main() {}
