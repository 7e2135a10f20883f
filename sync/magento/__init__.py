"""Speak to Magento: sign, send, read what it answers, and know what each refusal means."""
