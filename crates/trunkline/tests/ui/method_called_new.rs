#[trunkline::service]
trait Rooms {
    async fn new(&self, name: String) -> u64;
}

fn main() {}
