#[trunkline::service]
trait Log {
    #[procedure(notification)]
    async fn note(&self, text: String) -> usize;
}

fn main() {}

//~ 4:40 nobody hears what a notification returns: return nothing, or `Result<(), E>`
