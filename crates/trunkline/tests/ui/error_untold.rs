#[trunkline::service]
trait Files {
    async fn size(&self, of: String) -> std::io::Result<u64>;
}

fn main() {}

//~ 3:41 `std::io::Error` cannot be the error of a service's method
//~ 3:41 put `#[derive(trunkline::Fault)]` on it, or use `trunkline::Fault`
