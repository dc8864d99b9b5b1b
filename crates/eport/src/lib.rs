//! The card reader's serial protocol as bytes in, values out: no port, no clock. Its file upload has
//! been tested on a simulator only; the vendor's manual is not public.
