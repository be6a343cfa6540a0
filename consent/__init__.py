"""What people have agreed to. OAuth consents now; agreements and receipts stand beside them later."""
