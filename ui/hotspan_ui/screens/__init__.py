"""The pages, as Streamlit runs them: thin scripts over views and components."""
