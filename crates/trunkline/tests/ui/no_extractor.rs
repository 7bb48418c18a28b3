#[trunkline::service]
trait Rooms {
    async fn join(&self, #[extract] room: String) -> bool;
}

fn main() {}
