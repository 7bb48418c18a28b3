//! Addresses to dial: read or refused, and read alike once they have been shown.

#![no_main]

use libfuzzer_sys::fuzz_target;
use trunkline_net::dial::Address;

fuzz_target!(|text: &str| {
    match text.parse::<Address>() {
        // the arguments of a program are not shown
        Ok(address @ Address::Stdio { .. }) => assert!(!address.can_reconnect()),
        Ok(address) => {
            let shown = address.to_string();
            assert_eq!(shown.parse::<Address>().ok().as_ref(), Some(&address), "shown as {shown}");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
