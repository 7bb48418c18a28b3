#[trunkline::service]
trait Files {
    async fn size(&self, of: String) -> std::io::Result<u64>;
}

fn main() {}
