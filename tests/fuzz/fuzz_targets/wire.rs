//! What comes over the socket: a line that is a message is written as one that means the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trimtab::model::message::{Answer, Request};

fuzz_target!(|line: &[u8]| {
    if let Ok(request) = serde_json::from_slice::<Request>(line) {
        let again = serde_json::to_vec(&request).expect("a request can be written");
        assert_eq!(serde_json::from_slice::<Request>(&again).expect("what was written can be read"), request);
    }
    if let Ok(answer) = serde_json::from_slice::<Answer>(line) {
        let again = serde_json::to_vec(&answer).expect("an answer can be written");
        let _same = serde_json::from_slice::<Answer>(&again);
    }
});
