//! The built-in local-directory CSI driver.
