"""Parts of pages that Streamlit has no element for. Their text reaches the page as text only."""
